"""Small curves."""

from serve.sparks import HEIGHT, Scale, scale_of, spark_of


def test_a_gap_breaks_the_line():
    spark = spark_of([1.0, 2.0, None, 3.0, 4.0], Scale(0, 4))
    assert spark.path.count("M") == 2


def test_a_value_between_gaps_is_a_dot():
    spark = spark_of([None, 2.0, None], Scale(0, 4))
    assert spark.path == ""
    assert spark.dots == [(48.0, HEIGHT / 2)]


def test_what_did_not_come_in_the_last_hour_has_no_last_value():
    assert spark_of([1.0, None], Scale(0, 4)).last is None
    assert spark_of([None, None], Scale(0, 4)).low is None


def test_a_higher_value_is_drawn_higher_up():
    scale = Scale(0, 10)
    assert scale.y(9) < scale.y(1)
    assert scale.y(99) == scale.y(10)


def test_a_limit_is_in_the_picture_only_where_values_come_near_to_it():
    assert scale_of([[70.0, 75.0]], 80).high == 80
    assert scale_of([[30.0, 31.0]], 80).high == 31


def test_curves_of_one_value_lie_in_the_middle():
    scale = scale_of([[5.0, 5.0], [None, 5.0]], None)
    assert scale.y(5.0) == HEIGHT / 2


def test_a_table_without_values_has_a_scale():
    assert scale_of([[None]], None) == Scale(-1, 1)
