"""Which parts does it have, and who is in each?"""
