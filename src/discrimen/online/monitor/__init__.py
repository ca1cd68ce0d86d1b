"""A page that shows that a stream is well: a side channel of the stream, what is made of it, and a server of pages."""
