"""The pictures of the README, each made by the commands that the README states; ``make pictures`` makes them all."""
