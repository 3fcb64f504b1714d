"""What is made of what?"""
