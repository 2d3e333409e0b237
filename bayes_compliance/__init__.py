"""Will a state that joined an agreement comply on a later date, how sure can we be, what would change the answer?"""

__version__ = "0.1.0"
