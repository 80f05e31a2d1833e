"""Who may call the small broker."""

USERNAME, PASSWORD = "platform", "made-up"
