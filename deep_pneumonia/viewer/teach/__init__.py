"""The Teach screen: the lesson and the quiz."""
