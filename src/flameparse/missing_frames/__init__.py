"""What JavaScript is missing from a profile, why, and what to record it with instead."""
