"""fables_words: the word lists of fables.py. Owns names, animals, things, places and the small interchangeable phrases.

Kept apart from the plots so that a list can grow without touching a story. Things are singular and countable unless
the table's name says otherwise; "x~y" gives a second attribute, $t.b.
"""


import re


def listed(text):
    return [w.strip() for w in text.replace("\n", " ").split(",") if w.strip()]


def rows(text):
    return [tuple(c.strip() for c in line.split(",")) for line in text.strip().split("\n")]


GIRLS = listed("""Amina, Lila, Nora, Mei, Sofia, Zuri, Priya, Hana, Ines, Leila, Rosa, Greta, Tara, Wanjiru, Yuki, Olga,
    Fatima, Clara, Ebele, Marta, Ada, Noor, Pilar, Kavya, Ursula, Freya, Salma, Anya, Bela, Chipo, Dina, Esi, Farida,
    Gauri, Heidi, Ivy, Juana, Kamala, Lucia, Maya, Nandi, Oriel, Paloma, Quilla, Rania, Sita, Thandi, Uma, Vera, Willa,
    Xenia, Yara, Zahra, Akua, Birgit, Celia, Dalia, Elsa, Flora, Gita, Hilda, Ingrid, Jaya, Kirsi, Lotte, Mina, Nisha,
    Opal, Petra, Ruth, Suri, Tilda, Violet, Wren, Yemi, Anjali, Meera, Zola, Alma, Emma, Lucy, Lily, Molly, Rosie""")
BOYS = listed("""Tomas, Kofi, Ravi, Ben, Omar, Jin, Luca, Sami, Diego, Arun, Emil, Pedro, Kito, Noah, Ivan, Hugo, Yusuf,
    Chidi, Anders, Bao, Rafi, Tariq, Felix, Gopal, Henrik, Idris, Jonas, Kiran, Leo, Mateo, Nikhil, Otto, Pablo, Rafael,
    Simon, Tunde, Umar, Viktor, Walter, Xavi, Yaw, Zaki, Abel, Bilal, Carlos, Dev, Eli, Farid, Gabriel, Hari, Ilan,
    Jamal, Karim, Lars, Mandla, Nuno, Oscar, Pavel, Quentin, Rohan, Sipho, Theo, Ulrich, Vikram, Wei, Yosef, Zane, Ali,
    Bongani, Dawit, Ezra, Finn, Hamid, Juma, Kwame, Milo, Peter, Sam, Tim, Jack, Max, Toby""")
PETS = listed("""Pip, Momo, Tuk, Biscuit, Nibs, Rolo, Dot, Fern, Hazel, Jumper, Kiki, Lolo, Mossy, Nutmeg, Otis, Pepper,
    Quill, Rusty, Sorrel, Tansy, Umber, Velvet, Whisper, Yam, Ziggy, Acorn, Bramble, Clover, Dusty, Ember, Flick, Gogo,
    Hop, Inky, Juniper, Kumi, Lark, Maple, Nico, Olive, Pebble, Smoky, Thistle, Willow, Basil, Cricket, Dodo, Finch""")

CHILD_TRAITS = listed("small, cheerful, curious, clever, quiet, lively, bright, merry, dreamy, busy, thoughtful, kind")
ANIMAL_TRAITS = listed("small, young, old, cheerful, curious, quiet, lively, merry, busy, kind, gentle")
FEMALE, MALE = {"hen", "cow", "ewe", "goose", "nanny goat", "mother duck"}, {"rooster", "bull", "ram", "peacock"}

# kind, what it eats, where it sleeps, how it goes (past), its voice (past)
SMALL = rows("""
    mouse, seeds, hole, scurried, squeaked
    rabbit, clover, burrow, hopped, squeaked
    hare, grass, hollow, ran, cried
    squirrel, nuts, hole in the oak, scampered, chattered
    hedgehog, beetles, heap of leaves, trotted, snuffled
    mole, worms, tunnel, dug, squeaked
    frog, flies, pond, hopped, croaked
    tortoise, leaves, shell, crawled, murmured
    lizard, flies, crack in the wall, darted, hissed
    gecko, moths, corner, darted, chirped
    hamster, grain, nest of straw, scurried, squeaked
    chipmunk, acorns, hollow log, scampered, chattered
    mongoose, eggs, den, darted, chattered
    dormouse, berries, nest of moss, crept, squeaked
    porcupine, roots, den, shuffled, grunted
    kid goat, leaves, shed, skipped, bleated
    lamb, grass, fold, skipped, bleated
    piglet, turnips, sty, trotted, squealed
    toad, slugs, hole under a stone, hopped, croaked
    shrew, beetles, tunnel, scurried, squeaked
    otter, fish, holt by the river, slid, whistled
    meerkat, beetles, burrow, scampered, chirped
    armadillo, ants, burrow, trotted, grunted
    monkey, bananas, treetop, swung, chattered""")
BIG = rows("""
    elephant, leaves, shady grove, walked, trumpeted
    buffalo, grass, meadow, plodded, bellowed
    horse, oats, stable, galloped, neighed
    camel, thorns, sandy yard, walked, grumbled
    bear, honey, cave, lumbered, growled
    giraffe, treetop leaves, tall grove, strode, hummed
    rhino, grass, mud bath, stamped, snorted
    hippo, water plants, river, waddled, snorted
    donkey, hay, barn, trotted, brayed
    cow, grass, barn, ambled, mooed
    moose, willow twigs, marsh, strode, bellowed
    zebra, grass, plain, trotted, whinnied
    yak, grass, high pasture, plodded, grunted
    deer, leaves, thicket, bounded, called
    llama, hay, high pasture, walked, hummed
    ram, grass, hillside, marched, bleated
    antelope, grass, plain, leapt, called
    panda, bamboo, bamboo grove, waddled, grunted""")
BIRDS = rows("""
    sparrow, crumbs, nest, flew, chirped
    crow, corn, nest, flapped, cawed
    owl, mice, hollow tree, glided, hooted
    parrot, fruit, tall tree, flew, squawked
    duckling, water weed, reeds, paddled, quacked
    hen, corn, hen house, ran, clucked
    goose, grass, yard, waddled, honked
    swallow, flies, nest under the roof, swooped, twittered
    robin, worms, hedge, fluttered, sang
    heron, fish, tall reeds, stalked, croaked
    magpie, beetles, thorn tree, fluttered, chattered
    pigeon, grain, tower, flew, cooed
    wren, spiders, ivy, darted, trilled
    stork, frogs, nest on the chimney, strode, clattered
    kingfisher, fish, river bank, darted, whistled
    woodpecker, grubs, hole in a tree, flew, tapped
    finch, seeds, thorn bush, fluttered, sang
    crane, snails, marsh, strode, called
    dove, grain, old barn, fluttered, cooed""")
TRICKSTERS = rows("""
    fox, plums, den, trotted, laughed
    jackal, scraps, den, trotted, yelped
    raccoon, berries, hollow tree, crept, giggled
    weasel, eggs, hole in the bank, slid, hissed
    monkey, bananas, treetop, swung, chattered
    coyote, melons, den, trotted, yipped
    magpie, cherries, thorn tree, fluttered, chattered
    crow, corn, tall pine, flapped, cawed""")
PREDATORS = rows("""
    lion, meat, cave, stalked, roared
    tiger, meat, bamboo thicket, stalked, growled
    wolf, meat, cave, prowled, howled
    leopard, meat, rocky ledge, stalked, snarled
    bear, honey, cave, lumbered, growled
    eagle, fish, high cliff, soared, screamed
    crocodile, fish, muddy river, slid, snapped
    hyena, bones, den, prowled, laughed""")
PETKINDS = rows("""
    dog, bones, basket, trotted, barked
    cat, fish, cushion, padded, mewed
    puppy, scraps, basket, ran, yapped
    kitten, milk, basket, crept, mewed
    goat, leaves, shed, skipped, bleated
    donkey, hay, stable, trotted, brayed
    duck, snails, yard, waddled, quacked
    pony, oats, stable, trotted, neighed
    parrot, fruit, perch, flew, squawked""")
SEABEASTS = rows("""
    crab, seaweed, hole in the rocks, scuttled, clicked
    seal, fish, flat rock, swam, barked
    turtle, seaweed, warm cove, swam, sighed
    dolphin, fish, blue bay, swam, whistled
    octopus, shells, dark cave, swam, bubbled
    whale, tiny shrimps, deep sea, swam, sang
    sea horse, tiny shrimps, weed bed, swam, whispered
    starfish, mussels, rock pool, crept, whispered
    shrimp, weed, crack in the reef, swam, clicked
    little fish, weed, coral, swam, bubbled""")
WALKERS = [r for r in SMALL if r[0] not in ("mole", "gecko", "lizard", "shrew", "tortoise", "frog", "toad")]
NIBBLERS = [r for r in SMALL if r[0] in ("mouse", "hamster", "shrew", "dormouse")]
HURT_BIRDS = [r for r in BIRDS if r[0] in ("sparrow", "crow", "owl", "swallow", "robin", "pigeon", "finch", "dove",
                                           "magpie", "wren", "kingfisher", "parrot")]
FLIERS = [r for r in BIRDS if r[0] not in ("duckling", "hen", "goose")]
PROUD = rows("""
    peacock, seeds, cedar tree, strutted, screamed
    horse, oats, stable, galloped, neighed
    fox, plums, den, trotted, barked
    squirrel, nuts, hole in the oak, scampered, chattered
    lion, meat, cave, stalked, roared
    zebra, grass, plain, trotted, whinnied
    llama, hay, high pasture, walked, hummed
    pony, oats, stable, trotted, neighed""")
RUNNERS = rows("""
    hare, grass, hollow, ran, cried
    horse, oats, stable, galloped, neighed
    antelope, grass, plain, leapt, called
    deer, leaves, thicket, bounded, called
    zebra, grass, plain, trotted, whinnied
    fox, plums, den, trotted, barked
    ostrich, seeds, plain, ran, hissed
    greyhound, bones, basket, ran, barked""")
SLOW = rows("""
    tortoise, leaves, shell, crawled, murmured
    snail, leaves, shell, crept, whispered
    hedgehog, beetles, heap of leaves, trotted, snuffled
    toad, slugs, hole under a stone, hopped, croaked
    duck, snails, yard, waddled, quacked
    porcupine, roots, den, shuffled, grunted
    sloth, leaves, tree, crept, hummed
    badger, roots, sett, shuffled, grunted""")
STUBBORN = [r for r in BIG if r[0] in ("donkey", "ram", "llama", "yak", "cow", "camel", "moose")] + rows("""
    goat, leaves, shed, skipped, bleated
    mule, hay, stable, trotted, brayed""")
GREAT = [r for r in BIG if r[0] in ("elephant", "buffalo", "bear", "rhino", "hippo", "moose")]
TINYBIRDS = [r for r in BIRDS if r[0] in ("sparrow", "swallow", "robin", "wren", "finch", "kingfisher")]
EATERS = [r for r in WALKERS if r[0] in ("mouse", "rabbit", "hare", "squirrel", "hedgehog", "dormouse", "hamster",
                                         "porcupine", "chipmunk", "shrew")] + rows("""
    badger, roots, sett, shuffled, grunted
    vole, roots, burrow, crept, squeaked""")
OWLISH = [r for r in BIRDS if r[0] in ("owl", "crow", "stork", "heron")]
OLDBEASTS = [r for r in BIG if r[0] in ("donkey", "horse")] + rows("""
    mule, hay, stable, trotted, brayed""")
LAZY = [r for r in BIG if r[0] in ("hippo", "bear", "buffalo", "camel")] + rows("""
    jackal, scraps, den, trotted, yelped
    badger, roots, sett, shuffled, grunted
    baboon, figs, rocks, swung, barked
    warthog, roots, burrow, trotted, grunted""")
SWIMMERS = [r for r in SEABEASTS if r[0] in ("turtle", "dolphin", "octopus", "sea horse", "seal")]
SEACHILDREN = rows("""
    squid, shrimps, old ship, swam, bubbled
    ray, mussels, white sand, swam, whispered
    flounder, shrimps, white sand, swam, bubbled
    cuttlefish, crabs, old ship, swam, bubbled
    pufferfish, weed, old ship, swam, bubbled""")
ANIMALS = {"lazy": LAZY, "swimmer": SWIMMERS, "seachild": SEACHILDREN, "owlish": OWLISH, "oldbeast": OLDBEASTS,
"proud": PROUD, "runner": RUNNERS, "slow": SLOW, "stubborn": STUBBORN, "great": GREAT,
           "tinybird": TINYBIRDS, "small": SMALL, "big": BIG, "bird": BIRDS, "flier": FLIERS, "trickster":
           TRICKSTERS, "beast": PREDATORS,
           "pet": PETKINDS, "sea": SEABEASTS, "walker": WALKERS, "eater": EATERS, "nibbler": NIBBLERS, "hurtbird":
           HURT_BIRDS,
           "any": [r for r in SMALL + BIG if r[0] not in ("monkey", "bear")], "stray": PETKINDS[:4]}

PEOPLE = {
    "elder": [("Grandmother", "grandmother", "f"), ("Grandfather", "grandfather", "m"), ("Grandma", "grandma", "f"),
              ("Grandpa", "grandpa", "m")],
    "granny": [("Grandmother", "grandmother", "f"), ("Grandma", "grandma", "f"), ("Nani", "nani", "f"),
               ("Granny", "granny", "f")],
    "parent": [("Mother", "mother", "f"), ("Father", "father", "m"), ("Mama", "mama", "f"), ("Papa", "papa", "m")],
    "parent2": [("Mother", "mother", "f"), ("Mama", "mama", "f"), ("Grandmother", "grandmother", "f")],
    "teacher": [("Miss Okoro", "teacher", "f"), ("Mr Silva", "teacher", "m"), ("Mrs Rao", "teacher", "f"),
                ("Mr Bergman", "teacher", "m"), ("Miss Tanaka", "teacher", "f"), ("Mr Haddad", "teacher", "m"),
                ("Mrs Kowal", "teacher", "f")],
    "ruler": [("the king", "king", "m"), ("the queen", "queen", "f"), ("the king", "king", "m"),
              ("the sultan", "sultan", "m"), ("the emperor", "emperor", "m")],
    "king_queen": [("the king", "king", "m"), ("the queen", "queen", "f"), ("the sultan", "sultan", "m"),
                   ("the empress", "empress", "f"), ("the princess", "princess", "f")],
    "oldworker": [("the old gardener", "gardener", "m"), ("the old farmer", "farmer", "f"),
                  ("the old beekeeper", "beekeeper", "f"), ("the old potter", "potter", "m"), ("the old miller",
                  "miller", "m"),
                  ("the old schoolmaster", "schoolmaster", "m")],
    "farmer": [("the farmer", "farmer", "m"), ("the miller", "miller", "m"), ("the carter", "carter", "m")],
    "boatman": [("the ferryman", "ferryman", "m"), ("the old fisherman", "fisherman", "m"), ("the miller", "miller",
    "m"),
                ("the boat builder", "boat builder", "f"), ("the old sailor", "sailor", "m")],
    "farmhand": [("the farmer", "farmer", "m"), ("the old farmer", "farmer", "f"), ("the old woman", "old woman", "f")],
    "oldone": [("the old woman", "old woman", "f"), ("the old man", "old man", "m"), ("the beggar", "beggar", "m"),
               ("the stranger", "stranger", "f"), ("the traveller", "traveller", "m")],
    "worker": [("the baker", "baker", "m"), ("the potter", "potter", "f"), ("the weaver", "weaver", "f"),
               ("the miller", "miller", "m"), ("the blacksmith", "blacksmith", "m"), ("the tailor", "tailor", "m"),
               ("the carpenter", "carpenter", "m"), ("the gardener", "gardener", "f"), ("the cobbler", "cobbler", "m"),
               ("the fisherman", "fisherman", "m"), ("the shepherd", "shepherd", "f"), ("the farmer", "farmer", "f"),
               ("the basket maker", "basket maker", "f"), ("the candle maker", "candle maker", "m")],
    "rich": [("the merchant", "merchant", "m"), ("the landlord", "landlord", "m"), ("the rich widow", "rich widow",
    "f"),
             ("the moneylender", "moneylender", "m"), ("the rich farmer", "rich farmer", "m")],
    "helper": [("the shepherd", "shepherd", "f"), ("the woodcutter", "woodcutter", "m"), ("the ferryman",
    "ferryman", "m"),
               ("the postman", "postman", "m"), ("the fisherman", "fisherman", "m"), ("the milkmaid", "milkmaid", "f"),
               ("the beekeeper", "beekeeper", "f")],
}

THINGS = {
    "toy": listed("""drum, whistle, top, doll, wooden horse, paper boat, kite, marble, toy cart, puppet, ball, spinning
        top, tin soldier, rag rabbit, music box, flute, yo-yo, wooden duck, clay elephant, tambourine, skipping
        rope"""),
    "lost": listed("""scarf, silver ring, button, key, coin, hat, ribbon, shoe, necklace, bell, penknife, glove, shawl,
        whistle, bracelet, comb, marble, locket, cap, pocket watch, thimble, mitten, pencil box, purse, lucky stone"""),
    "good": listed("""lantern, blanket, umbrella, basket, rope, bucket, walking stick, ladle, broom, cup, jug, cushion,
        clock, mirror, kettle, spoon, bowl, mat, stool, lamp, teapot, wheelbarrow, spade, ladder, bag, sack, tray"""),
    "made": listed("""kite, raft, cart, tree house, swing, snow hut, bird house, little boat, sledge, bench, bridge,
        puppet stage, windmill, scarecrow, toy train, see-saw"""),
    "shiny": listed("""golden cup, silver bell, ruby ring, golden comb, pearl necklace, silver flute, crystal ball,
        golden crown, jade horse, silver mirror, emerald button, golden goblet, bronze lamp"""),
    "fruit": ["mango~mangoes", "apple~apples", "pear~pears", "orange~oranges", "plum~plums", "peach~peaches",
              "fig~figs", "melon~melons", "guava~guavas", "banana~bananas", "apricot~apricots", "papaya~papayas",
              "pomegranate~pomegranates", "quince~quinces"],
    "crop": ["pumpkin~pumpkins", "cabbage~cabbages", "turnip~turnips", "carrot~carrots", "potato~potatoes",
             "radish~radishes", "bean~beans", "sunflower~sunflowers", "melon~melons", "pepper~peppers", "onion~onions",
             "gourd~gourds"],
    "dish": listed("""rice, soup, porridge, stew, lentil soup, noodles, pumpkin pie, cheese, honey cake, corn bread,
        dumplings, pancakes, curry, bean stew, apple pie, flat bread, rice pudding, fish stew, plum jam, yam stew"""),
    "stew": listed("""soup, porridge, stew, lentil soup, curry, bean stew, rice pudding, fish stew, plum jam, yam stew,
        pumpkin soup, onion soup, chicken soup, noodle soup, vegetable stew, tomato soup, coconut rice"""),
    "bake": ["cake~cakes", "bun~buns", "pie~pies", "biscuit~biscuits", "honey cake~honey cakes", "pancake~pancakes",
             "sweet roll~sweet rolls", "rice cake~rice cakes", "dumpling~dumplings", "pastry~pastries", "tart~tarts"],
    "music": listed("""drum, flute, fiddle, whistle, banjo, harp, pipe, tambourine, horn, mandolin, bell,
        rattle, guitar"""),
    "flower": ["rose~roses", "lily~lilies", "daisy~daisies", "marigold~marigolds", "poppy~poppies", "tulip~tulips",
               "jasmine flower~jasmine flowers", "bluebell~bluebells", "sunflower~sunflowers", "violet~violets"],
    "tree": listed("""oak, banyan, mango tree, apple tree, baobab, pine, fig tree, willow, chestnut tree, cedar, palm,
        olive tree, plum tree, maple, birch, acacia"""),
    "colour": listed("red, blue, green, yellow, purple, orange, white, brown, grey, pink, silver, golden, striped"),
    "home": listed("""in a village by the sea, in a small village, in a village at the foot of a mountain, on a farm,
        in a little house at the edge of the forest, in a busy town, in a white house on a hill, near a wide river,
        in a village among the rice fields, in a narrow street behind the market, on an island, at the edge of the
        desert, in a valley full of apple trees, in a cottage by a lake, in a village high in the mountains,
        beside the old mill, in a house with a blue door, in a town with a tall clock tower, in a fishing village,
        near the harbour, in a house by the railway, in a village of mud houses, on the last farm in the valley""")
        + ["in a hot, dry country", "in a cold country far to the north", "in a village where everyone knew everyone"],
    "wild": listed("""in a deep forest, on a wide plain, in a green valley, beside a quiet pond, at the edge of a
        forest,
        on a rocky hill, in a thick jungle, by a slow brown river, in a meadow full of flowers, in a bamboo grove,
        in the hills, near a waterfall, in an old orchard, beside a lake, in a sunny clearing, on the bank of a stream,
        in the tall grass, under a great old tree, in a marsh full of reeds, in a shady wood"""),
    "forest": listed("in a deep forest, in a thick jungle, in a wood of oaks and birches, in a forest of tall pines"),
    "dry": listed("""in a village at the edge of the desert, in a village of mud houses, in a small
        village, on a dry hill, in a village among the dry fields"""),
    "highland": listed("""in a village high in the mountains, at the foot of a mountain, in a valley, in a village
        in the
        hills, on a farm in the hills, in a house on a hill, in a narrow green valley"""),
    "hills": listed("""in the hills, in the mountains, between two meadows, behind a village, deep in a forest, at
        the foot
        of a mountain, near an old mill, between two high rocks, below a waterfall"""),
    "spot": listed("""the well, the old bridge, the mill, the market, the bakery, the school gate, the temple steps, the
        pond, the barn, the bus stop, the village square, the bamboo fence, the stone wall, the orchard, the ferry, the
        fountain, the hen house, the big rock, the washing place, the cow shed, the tea shop, the forge, the
        harbour"""),
    "land": listed("a far land, a rich country, a small country, a land between two rivers, a country by the sea, a "
                   "kingdom of hills and lakes, a city with seven gates, a land of orange trees, a mountain kingdom"),
}
THINGS["inland"] = [p for p in THINGS["home"] if not re.search("sea|island|fishing|harbour", p)]

MACROS = {
    "once": ["once upon a time"] * 18 + ["long ago", "once", "many years ago", "a long time ago", "one summer",
    "one year"],
    "said": ["said"] * 6 + ["said", "answered", "replied"],
    "cried": ["cried", "shouted", "called", "called out"],
    "asked": ["asked"] * 4 + ["wanted to know", "wondered"],
    "day": ["one day", "one morning", "one afternoon", "one fine day",
    "one {windy|sunny|warm|cool|bright|hot} {day|morning}",
            "one day in {spring|summer|autumn}", "early one morning", "one market day", "then one day",
            "one {Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday}", "one day, when the shadows were long,",
            "one morning, before the {cocks|roosters} crowed,", "one day, not long after,", "one quiet afternoon",
            "one {misty|foggy|grey|golden|chilly} morning", "one day, about noon,",
            "one evening, as the sun went down,"],
    "later": ["after a while", "soon", "a little later", "before long", "in a little while", "by and by", "presently"],
    "next": ["the next {day|morning}", "the very next day", "when morning came", "early the next morning",
             "on the following day", "the day after that"],
    "night": ["that night", "that evening", "when the sun had set", "at bedtime", "when the stars came out",
              "when it was dark"],
    "sun": ["the sun {was shining|shone}", "the sky was {blue|clear}", "it was a {fine|bright|warm} day",
            "a {soft|warm} wind was blowing", "there was not a cloud in the sky",
            "the air smelled of {grass|flowers|hay}"],
    "rain": ["it began to rain", "rain began to fall", "the rain came down", "dark clouds rolled in and it rained"],
    "happy": ["happy", "glad", "full of joy", "very pleased", "so happy", "delighted"],
    "sad": ["sad", "unhappy", "very sad", "miserable", "close to tears", "downcast"],
    "angry": ["angry", "cross", "very cross", "furious"],
    "afraid": ["afraid", "frightened", "scared", "very frightened"],
    "very": ["very", "so", "quite", "rather", "really"],
    "softly": ["softly", "gently", "quietly", "in a low voice", "kindly"],
    "quick": ["quickly", "at once", "as fast as possible", "without waiting", "right away"],
    "slow": ["slowly", "carefully", "step by step", "little by little", "bit by bit"],
    "small": ["small", "little", "tiny"],
    "big": ["big", "great", "huge", "large", "enormous"],
    "looked": ["looked", "searched", "hunted"],
    "laughed": ["laughed", "smiled", "grinned", "laughed out loud", "began to laugh"],
    "everyone": ["everyone", "everybody", "the whole village", "all the people"],
    "nobody": ["nobody", "no one"],
    # a child A who lives at P
    "child": ["%once there was a $A.adj $A.b who lived $P.", "%once, $P, there lived a $A.adj $A.b.",
              "%once a $A.k {called|named} $A lived $P.", "$A was a $A.adj $A.k who lived $P.",
              "$A lived $P. $A.he was a $A.adj $A.k of $A.age.", "$P lived a $A.adj $A.b.",
              "there was once a $A.adj $A.b. $A.he lived $P.", "$A was $A.age years old and lived $P.",
              "%once there lived a $A.b $P."],
    # an animal A that lives at P
    "beast": ["%once there was a $A.adj $A.b who lived $P.", "%once, $P, there lived a $A.adj $A.b.",
              "%once a $A.b lived $P.", "$P lived a $A.adj $A.b.", "there was once a $A.adj $A.b who lived $P.",
              "%once upon a time a $A.adj $A.b had a home $P."],
    # a grown person or ruler A who lives at P
    "man": ["%once there was a $A.k who lived $P.", "%once a $A.k lived $P.", "there was once a $A.k who lived $P.",
            "$P there lived a $A.k.", "%once, $P, there lived a $A.k."],
}
MACROS["beast"][-1] = "%once a $A.adj $A.b had a home $P."

# A sentence on what A is like, at the end of the first paragraph; $Z is a dish. The second goes to the story's end.
LIKES = [
    "$A.he liked $Z {best of all|more than anything} and could {%skill|%skill}.",
    "$A.he could %skill, and $A.he {was very fond of|loved|never said no to} $Z.",
    "$A.he had {%hair|%hair} and %wear, and $A.his favourite food was $Z.",
    "{All day long|From morning to night} $A.he talked of %topic, and at noon $A.he talked of $Z.",
    "$A.his pockets were full of %stuff and %stuff, and $A.he always hoped there would be $Z for supper.",
    "$A.he knew a lot about %topic, and $A.he would walk a mile for a bowl of $Z.",
]
LIKED = [
    "{That evening|For supper that day} there was $Z, and $A {ate two helpings|had a second "
    "bowl|licked the spoon|ate every bit of it}.",
         "{And do you know what|What do you think} there was for supper? $Z, of course!",
         "Then $A went {home|in} to {supper|dinner}. It was $Z, {hot and good|just as $A.he liked it|a "
         "big dish of it}.",
         "{At supper|At the table} $A told the whole story from beginning to end, {with a mouth full of "
         "$Z|and the $Z grew cold}."]
HABITS = [
    "$A.he lived on $A.food and slept in $A.his $A.den.",
    "$A.he ate $A.food {in the morning|for breakfast} and dreamed of %topic at night.",
    "$A.he liked $A.food, %topic and a {good|long} story.", "$A.he {knew all about|was never tired of} %topic.",
    "$A.he {could %skill|had %wear}, and $A.he was {fond of|very fond of} $A.food.",
    "{The neighbours said|Everybody knew} that $A.he could %skill.",
]
MACROS.update({
    "skill": listed("""whistle through two fingers, stand on one leg for an hour, climb any tree, tie nine kinds
        of knots, count backwards from
        a hundred, walk along a wall without falling, jump over a ditch, find four-leaved clovers, imitate a cuckoo,
        make
        paper boats, carve small spoons, hum three tunes, tell the time by the sun, keep a secret, run down the hill
        without
        stopping, tell a joke, draw a perfect circle, crack nuts with one blow, roll like a barrel, blow bubbles"""),
    "hair": listed("""curly hair, long black braids, red hair, short dark hair, freckles, brown eyes, a loud
        laugh, a quick smile, hair like straw, two dimples, big round glasses"""),
    "wear": listed("""a yellow coat, a patched jacket, a straw hat, a blue scarf, wooden shoes, a woollen cap, a
        green waistcoat, striped
        socks, an old leather belt, a red neckerchief, a coat with big buttons"""),
    "topic": listed("""beetles, ships, clouds, trains, mushrooms, mountains, stars, dragons, bees, faraway
        islands, snails, volcanoes, old
        songs, riddles, rivers, the moon, maps, pirates, elephants, whales, bells, bridges, ghosts, rainbows"""),
    "stuff": listed("""pebbles, string, acorns, chalk, marbles, feathers, buttons, crumbs, shells, chestnuts,
        nails, bottle tops, seeds,
        pencil stubs, pine cones, bits of glass, snail shells, rubber bands"""),
})

# Phrases that may stand for one another anywhere; only such as leave the grammar and the facts of a story alone.
SYNONYMS = [row.split("|") for row in listed("""
    began to cry|burst into tears|started to cry|started crying, big|large,
    ran home|hurried home|raced home, said nothing|did not say a word|kept silent, every day|each day|day after day,
    at last|in the end|finally, suddenly|all at once|all of a sudden, nobody|no one, softly|gently|quietly,
    the next day|the following day, for a long time|for a long while, happy|glad, jumped|leapt|sprang,
    climbed|clambered, shone|gleamed|glittered|sparkled, whispered|murmured|breathed, shouted|yelled|bellowed,
    went home|walked home|made for home|trudged home, set off|set out|started out, found|discovered,
    fell asleep|dropped off to sleep|drifted off to sleep, afraid of|scared of|frightened of, tired|weary|worn out,
    beautiful|lovely|splendid, perhaps|maybe,  looked for|searched for|hunted for,
    stared|gazed|gaped, sat down|settled down, ran to|rushed to|dashed to|hurried to, ran up|raced up|rushed up,
    ran down|dashed down|hurried down, ran after|raced after|chased after, ran out|rushed out|dashed out,
     smiled|beamed|grinned, looked round|looked around|glanced about,
    everyone|everybody, in the morning|when the sun rose|at daybreak|at sunrise, that evening|that night|in the evening,
    began to|started to,  thought hard|thought and thought|puzzled over it,
    threw|tossed|flung, crying|weeping|sobbing|in tears, angry|cross|annoyed, hurried|hastened|rushed,
    crept|tiptoed|sneaked|stole,
    shook|trembled|quivered, came running|came racing|came hurrying,
    a long way|a good distance, of course|naturally, grew dark|became dark|turned dark, stood still|stopped short,
    did not move|did not stir""") if "|" in row]
