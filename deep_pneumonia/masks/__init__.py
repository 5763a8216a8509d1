"""What a doctor drew, in every format."""
