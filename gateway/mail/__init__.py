"""How do we reach people?"""
