"""How is this gateway set up?"""
