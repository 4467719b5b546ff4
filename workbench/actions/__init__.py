"""What acts: jobs and runbooks, what starts them, and who is told of alerts."""
