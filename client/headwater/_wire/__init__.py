"""Between the client's models and the messages of `headwater.v1`, both ways. Opens no connection."""
