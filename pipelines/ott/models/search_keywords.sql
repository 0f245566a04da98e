-- Every keyword that somebody searched for, as it is compared: lower case, trimmed, composed (NFC). The original spelling stays in bronze.search_log.
SELECT DISTINCT lower(trim(nfc_normalize(keyword))) AS keyword
FROM bronze.search_log
WHERE trim(keyword) <> '' AND upper(trim(keyword)) <> 'NULL'
