"""How does a proxy ask us?"""
