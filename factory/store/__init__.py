"""What is remembered: clips, tags, cars, rankings, jobs and the files behind them."""
