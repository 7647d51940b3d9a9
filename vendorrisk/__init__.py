"""Third-party risk management as a service: vendors, their evidence, and telling people in time."""
