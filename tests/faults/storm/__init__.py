"""A storm: many buyers, every fault there is, drawn from a seed; then calm, and a look at the books.

`python -m tests.faults.storm --seed 1 --orders 500` (`make storm SEED=1 ORDERS=500`).
"""
