"""Third-party risk management as a service: vendors, their evidence, and notifying people in time."""
