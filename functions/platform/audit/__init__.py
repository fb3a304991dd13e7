"""The auditor: reads the services' databases and the payment providers, and reports every breach of the invariants."""
