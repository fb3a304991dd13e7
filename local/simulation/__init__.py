"""What simulated providers have in common: what they remember, planned faults, delivery of webhooks, their process."""
