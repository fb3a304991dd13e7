"""Notifications with a real database."""
