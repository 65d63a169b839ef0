"""YouTube-8M as it is published: TFRecord shards of tf.train.Example and SequenceExample, read and written without
TensorFlow.

https://research.google.com/youtube8m; the house's own features are written in the same schema.
"""
