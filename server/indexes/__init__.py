"""Index policies: spaces that hold vectors of a payload property, brought from outside or made here."""
