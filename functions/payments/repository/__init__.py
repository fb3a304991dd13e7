"""All SQL of the payments service, by noun."""
