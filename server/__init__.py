"""Server: the gRPC edge. Converts requests to planner and storage types and errors to statuses; owns no other rule."""
