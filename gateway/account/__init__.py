"""What may you change about yourself?"""
