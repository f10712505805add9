"""What authors run: record, check, rehearse, audit; and what makes the environment."""
