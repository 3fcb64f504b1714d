"""What do we know without asking?"""
