"""Other products' Python interfaces over a Headwater client, for programs that were written for these products.

One module for each product. Each is over the public client alone, and says where a name means something else here.
"""
