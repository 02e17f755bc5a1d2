-- How many listed episodes each parent speaks for. $1: the parents' ids.
SELECT parent, count(*) AS members FROM episode WHERE parent = ANY ($1) AND state <> 'normal' GROUP BY 1
