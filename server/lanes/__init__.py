"""Who may work when. Knows no service."""
