"""What watches the system: alarms, the objective, and dashboards."""
