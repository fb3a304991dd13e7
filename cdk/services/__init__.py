"""The services, a table each: their routes, tasks, consumers and jobs, and what each of these may touch."""
