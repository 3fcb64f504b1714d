"""How does a check get an answer without a web framework?"""
