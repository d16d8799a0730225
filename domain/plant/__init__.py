"""What happens in a plant, and what it means: plain rules, one package for each thing a plant speaks of."""

from domain.plant.word import Word, moment

__all__ = ["Word", "moment"]
