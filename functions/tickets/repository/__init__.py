"""All SQL of the tickets service, by noun. A function is one statement; none of them commits."""
