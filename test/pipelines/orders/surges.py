"""Surges of the AdventureWorks files by numpy: prints `day/product` a line, in order. Arguments: the folder."""
import glob, os, sys
import numpy as np
import pandas as pd

PERIODS, AT_LEAST = 90, 5

files = sorted(glob.glob(os.path.join(sys.argv[1], 'Sales_*')))
sales = pd.concat(pd.read_csv(file, usecols=['OrderDate', 'ProductKey', 'OrderQuantity']) for file in files)
print(len(sales), file=sys.stderr)
sales['day'] = pd.to_datetime(sales['OrderDate'], format='%m/%d/%Y')
demand = sales.groupby(['ProductKey', 'day'])['OrderQuantity'].sum()
found = []
for product, sold in demand.groupby(level=0):
    sold = sold.droplevel(0)
    series = sold.reindex(pd.date_range(sold.index.min(), sold.index.max()), fill_value=0)
    values = series.to_numpy()
    for place in range(AT_LEAST, len(values)):
        before = values[max(0, place - PERIODS):place]
        # Quantities are whole, and the distance to the threshold is a hundredth at least.
        if values[place] > np.percentile(before, 95, method='linear') + 1e-9:
            found.append(f'{series.index[place]:%Y-%m-%d}/{product}')
print('\n'.join(sorted(found)))
