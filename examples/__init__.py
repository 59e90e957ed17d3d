"""Programs that show Headwater at work on shipped data. Not part of the service: they use its client only."""
