"""How does somebody come in, or back in?"""
