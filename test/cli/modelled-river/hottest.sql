-- The hottest reading of every sensor.
SELECT sensor, max(celsius) AS celsius, count(*) AS readings
FROM bronze.readings
GROUP BY sensor
