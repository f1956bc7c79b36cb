-- A line for each column, key and index. `catalogues.rs` writes the same lines for the file.
-- Only a server has nodes, and rows in place of locks of files: `held`, `learned`, `node`, `share`; and only there several releases share a schema: `schema_support`.
WITH tables AS (
    SELECT oid, relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
        AND relname NOT IN ('held', 'learned', 'node', 'schema_support', 'share')
), keys AS (
    SELECT it.indexrelid, it.indrelid, it.indisunique, it.indisprimary, pg_get_expr(it.indpred, it.indrelid) AS condition,
        string_agg(
            -- A generated column counts as its expression.
            coalesce(pg_get_expr(default_of.adbin, it.indrelid), pg_get_indexdef(it.indexrelid, place, true))
                || CASE WHEN it.indcollation[place - 1] NOT IN (0, '"C"'::regcollation) THEN ' in another collation' ELSE '' END
                || CASE WHEN it.indoption[place - 1] & 1 = 1 THEN ' DESC' ELSE '' END,
            ',' ORDER BY place) AS words
    FROM pg_index AS it
    JOIN tables ON tables.oid = it.indrelid
    CROSS JOIN generate_series(1, it.indnkeyatts) AS place
    LEFT JOIN pg_attribute AS a
        ON a.attrelid = it.indrelid AND a.attnum = it.indkey[place - 1] AND a.attgenerated <> ''
    LEFT JOIN pg_attrdef AS default_of ON default_of.adrelid = a.attrelid AND default_of.adnum = a.attnum
    GROUP BY it.indexrelid, it.indrelid, it.indisunique, it.indisprimary, it.indpred
)
SELECT concat(
    'column ', relname, ' ', attname, ' ', format_type(atttypid, NULL), CASE WHEN attnotnull THEN ' not null' END,
    CASE WHEN attgenerated <> '' THEN ' generated ' WHEN adbin IS NOT NULL THEN ' default ' END, pg_get_expr(adbin, adrelid))
FROM tables
JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
UNION ALL
SELECT concat(
    CASE WHEN indisprimary THEN 'primary key ' WHEN indisunique THEN 'index unique '
        ELSE 'index ' || (SELECT relname FROM pg_class WHERE oid = indexrelid) || ' ' END,
    relname, ' (', words, ')', ' where ' || condition)
FROM keys
JOIN tables ON tables.oid = indrelid
UNION ALL
SELECT concat(
    'foreign key ', relname, ' (', (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS it (number, place)
        JOIN pg_attribute ON attrelid = conrelid AND attnum = number), ') to ', confrelid::regclass, ' (', (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS it (number, place)
        JOIN pg_attribute ON attrelid = confrelid AND attnum = number),
    ') on delete ', CASE confdeltype WHEN 'a' THEN 'no action' WHEN 'c' THEN 'cascade' ELSE confdeltype::text END)
FROM pg_constraint
JOIN tables ON tables.oid = conrelid
WHERE contype = 'f' AND conparentid = 0
