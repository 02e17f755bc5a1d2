-- The maintenance plans. No parameters.
SELECT plan FROM maintenance_plan
