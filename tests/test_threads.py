"""One thread of linear algebra, however many threads of ours there are, and the old number after the last of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from xr_dip.threads import SharedLimit, one_blas_thread


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, "blas"):
        if blas_threads() != {2}:
            pytest.skip("linear algebra has one thread here")
    # Set by a thread that has ended, so that nobody owns the limit and it can be set by the next.
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(lambda: max(blas_threads())).result()
        pool.submit(threadpool_limits, 2, "blas").result()
    yield
    with ThreadPoolExecutor(1) as pool:
        pool.submit(threadpool_limits, before, "blas").result()


def test_the_last_of_several_threads_lifts_the_limit():
    first_is_out, second_is_in = threading.Event(), threading.Event()
    seen = []

    def first():
        with one_blas_thread():
            second_is_in.wait(10)
        first_is_out.set()

    def second():
        with one_blas_thread():
            second_is_in.set()
            first_is_out.wait(10)
            seen.append(blas_threads())

    threads = [threading.Thread(target=job) for job in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{1}]
    assert blas_threads() == {2}


def test_it_holds_in_a_thread_after_another_has_held_it():
    def inside():
        with one_blas_thread():
            return blas_threads()

    assert inside() == {1}
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() == {1}
    assert inside() == {1}
    assert blas_threads() == {2}


def test_an_error_lifts_it():
    limit = SharedLimit()
    with pytest.raises(ValueError, match="inside"), limit.held():
        raise ValueError("inside")
    assert limit.users == 0
    assert blas_threads() == {2}
