"""A bounded cache keeps what was used last, within its bound, and counts values that grow when they are put again."""

from concurrent.futures import ThreadPoolExecutor

from storage.bounded_cache import BoundedCache


def test_the_least_recently_used_entry_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
    assert (len(cache), cache.used) == (2, 2)


def test_costs_are_summed_and_what_costs_too_much_alone_is_not_kept() -> None:
    cache: BoundedCache[str, str] = BoundedCache(10, len)
    assert cache.put("a", "xxxx")
    assert cache.put("b", "xxxx")
    assert cache.put("a", "xxxxxx")  # it grew: b and it are just as much as fits
    assert (cache.used, len(cache)) == (10, 2)
    assert cache.put("b", "xxxxx")
    assert (cache.get("a"), cache.used) == (None, 5)
    assert not cache.put("b", "x" * 11)
    assert (cache.get("b"), cache.used) == (None, 0)


def test_nothing_fits_in_no_room() -> None:
    for cache in (BoundedCache[str, str](0), BoundedCache[str, str](0, len)):
        cache.put("a", "x")
        assert (cache.get("a"), len(cache)) == (None, 0)


def test_threads() -> None:
    cache: BoundedCache[int, str] = BoundedCache(50, len)

    def work(seed: int) -> None:
        for number in range(2_000):
            cache.put((seed * number) % 23, "x" * (number % 9))
            cache.get(number % 23)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    assert cache.used == sum(len(cache.get(key) or "") for key in range(23)) <= 50
