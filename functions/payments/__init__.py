"""Payments: orders as they are paid, declined, refunded."""
