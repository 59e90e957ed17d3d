"""Words and pieces of queries that Hypothesis draws for the tests of text, and a point that holds them."""

from dataclasses import dataclass

from hypothesis import strategies as st

PLAIN = ["a", "ab", "abc", "B", "b'c", "b.d", "it", "fox", "x1", "1.5"]
SCRIPTS = ["東京", "東京都", "京", "都に行", "ネット", "ｲﾝﾀｰﾈｯﾄ", "엔진", "엔진입니다", "ที่นี่", "ที่", "x1を", "㍿"]
INVISIBLE = ["f\u00adox", "\ufeffab", "ab\u200b", "x\u00b9", "ﬁt", "東\u200b京", "❤\ufe0f", "👩\u200d👩"]
WORDS = [*PLAIN, *PLAIN, *SCRIPTS, *INVISIBLE]
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.builds("{}{}".format, st.sampled_from("+-"), st.sampled_from([*WORDS, "b-d"])),
    st.builds('{}"{} {}"'.format, st.sampled_from(["", "", "+", "-"]), st.sampled_from(WORDS), st.sampled_from(WORDS)),
    st.sampled_from(['"', "+", "-", "--ab", '-"ab', "a-b"]),
)


@dataclass(frozen=True)
class Held:
    payload: dict[str, object]
