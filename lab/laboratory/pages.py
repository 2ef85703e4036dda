"""The pages of the country's web sites: small, made up, and no two alike."""

import html
import random

TOPICS = {
    "Harvest": ["Rice planting ended four days early in the western plain.",
                "Farm teams on the coast finished repairing the sea wall before the spring tides.",
                "The maize in the hills stands well after a week of steady rain."],
    "Railways": ["A morning train now joins the port with the northern valley in six hours.",
                 "Workers replaced nine kilometres of track near the old bridge.",
                 "The museum of locomotives opens a hall on the engines of the thirties."],
    "Science": ["A team of the university measured how fast the glacier lake fills.",
                "Young mathematicians won two medals at the games of the region.",
                "The observatory on the hill has a new mirror, polished by hand."],
    "Culture": ["The state orchestra opens its season with songs of the fishermen.",
                "Painters of the ceramic works show forty vases in the city gallery.",
                "A film on the keepers of the lighthouse is on in all cinemas this week."],
    "Sport": ["The women's eleven won three to one and leads the table.",
              "Eight thousand ran along the river on Sunday, in rain and good spirits.",
              "The winter games of the schools move to the new rink."],
    "Weather": ["Light wind from the north, fog along the coast before noon.",
                "Snow is expected above six hundred metres on two of the next three days.",
                "Warm and dry; the rivers stand a little under their usual level."],
}

STYLE = """body{font:16px/1.5 serif;max-width:46em;margin:2em auto;padding:0 1em;color:#222}
h1{border-bottom:4px solid %s}article{margin:1.5em 0}time{color:#666;font-size:.85em}
footer{border-top:1px solid #ccc;color:#666;font-size:.85em}"""

WELCOME = "<!DOCTYPE html><title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>\n"


def front_page(site):
    """The same for the same site each time."""
    chance = random.Random(site)
    colour = chance.choice(["#a33", "#358", "#284", "#852", "#548"])
    articles = "".join(_article(chance, topic) for topic in chance.sample(list(TOPICS), 5))
    name = html.escape(site)
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{name}: news of the day</title>\n<style>{STYLE % colour}</style></head>\n"
            f"<body><h1>{name}</h1>\n"
            f"<p>News, culture and services. Edition {chance.randint(2000, 9000)}.</p>\n{articles}"
            f"<footer>{name} is a site of a laboratory; none of its news happened.</footer></body></html>\n")


def _article(chance, topic):
    lines = TOPICS[topic]
    body = " ".join(chance.sample(lines, len(lines)))
    return (f"<article><h2>{topic}: {lines[chance.randrange(len(lines))].split(';')[0].rstrip('.')}</h2>\n"
            f"<time>{chance.randint(1, 28)} of the month, {chance.randint(6, 20)}:00</time>\n"
            f"<p>{body}</p>\n<p>Readers asked about the {topic.lower()} pages; they appear again on "
            f"{chance.choice(['Monday', 'Wednesday', 'Friday'])}.</p></article>\n")


def maintenance_page(site):
    name = html.escape(site)
    return (f"<!DOCTYPE html>\n<title>{name}: maintenance</title>\n<h1>{name}</h1>\n"
            "<p>The site is being renewed and returns within the hour.</p>\n")
