"""How often may one try?"""
