"""Which programs belong here?"""
