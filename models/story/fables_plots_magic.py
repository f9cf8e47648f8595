"""fables_plots_magic: the plots about kings, wishes, journeys and the sky. fables_plots.py says how a plot is given."""
from fables_plots import plot


plot("The Three Tasks|$A and the Three Tasks of the $Q.k|$A and the $Q.k|"
     "The $Q.k Who Asked Three Things", """
- In $l the $Q.k was {growing old|old} and had no child. "{Who will rule after me|Who should have my crown}?" $Q.he
  asked. {So $Q.he sent out a call|A call went out}: whoever could do three tasks would {have the crown|rule the
  land}.
- %once the $Q.k of $l {made it known|let it be known} that {whoever could|anyone who could} do three tasks should
  have {half the land|the crown}.

- {Princes and captains|Dukes and generals} came {on white horses|in gold and silk}. And {among them|last of all} came
  $A, {a shoemaker's child|a farmer's child}, {with bare feet|in a patched coat}. {The princes laughed|Everyone
  stared}.
- Many came, {rich and strong|on fine horses}. $A came too, a $A.k who {kept geese|carried water}, and {nobody
  expected anything of $A.him|had only a piece of bread in $A.his pocket}.

- "The first task," said the $Q.k, "is to fill this {hall|great hall} with {something that costs|a thing bought for}
  one small coin." {One bought straw, one bought feathers|Some bought straw and some sand}, but it {was never
  enough|hardly covered the floor}. $A bought a candle and lit it. {The hall was full of light|Light filled every
  corner}.
- First they had to fill {a whole hall|a tall tower} {with what one coin could buy|for a single coin}. The princes
  {dragged in|brought} {straw|sacks of leaves}. $A {bought|came with} one candle. When it burned, {there was light
  from wall to wall|the place was full -- of light}.

- "The second task: {bring me water in a sieve|carry water to me in a basket}," said the $Q.k. The others {ran and
  spilled|spilled every drop}. $A {waited for the night frost|waited until it froze} and {carried the water as
  ice|brought a lump of ice}.
- Next they had to carry water in a {basket|sieve}. {It ran out on all sides|Drip, drip, it was gone}. But $A {lined
  it with clay from the river|rubbed the inside with clay}, and {not a drop was lost|brought it full}.

- "The third task is the {hardest|last}," said the $Q.k. "Go {over the hill|through the gate} to the {tower|lake} and
  back. {The first to return wins|Who is first, wins}." {They all ran|Off they ran}. By the road {sat|lay} an old
  {woman|man} with a {heavy bundle|hurt foot}. {They ran past|The princes did not even look}.
- "Now {run to the old oak and back|a race}," said the $Q.k, "and {the first one here has won|that is all}." {Everyone
  ran|The horses flew}. On the road an old {woman|man} had {fallen|dropped a bundle of sticks}. {Nobody stopped|One
  after another went by}.

- Only $A stopped. {"Lean on me," $A.he said.|$A took the load.} {Step by step|Slowly} they {went|walked} back
  together, and {came in last|were the last of all}.
- $A stopped {at once|}. "{I will not win now|The crown must wait}," {thought $A|$A said}, and {carried the old one
  home|helped the old one to the palace gate}. {It was evening when they came|They came in last}.

- "{The last is the first|Here is the winner}!" said the $Q.k. "That old one {is my own teacher|was sent by me}. {The
  third task was not to run. It was to stop.|I wanted to see who would stop.}"
- Then the old one {stood up straight|threw off the cloak}. It was the $Q.k's own {brother|friend}! "{This was the
  real task|That was the third task}," said the $Q.k. "{A ruler must see who has fallen|I need someone who stops}."

- So $A {got the crown|became ruler of the land}, {in a patched coat|with bare feet}, and {it was a good time for
  all|nobody in that land was left lying by the road}.
- $A {ruled long and well|was a good ruler}. {In the great hall there always burned one candle|By $A.his throne there
  always burned a small candle}.
- "{I have only one wish|May I ask something}," said $A. "{My geese must come too|May my old mother come too}." {And
  so it was done|The $Q.k laughed and said yes}.
""", A="child", Q="king_queen", l="land")


plot("The Magic $p|$A and the $p|The $p That Would Not Stop|$A and the Magic Words|"
     "Too Much $d", """
- %child $A.he and $M were so poor that {often they had nothing to eat|their cupboard was empty}.
- There was once a {poor|hungry} $A.k called $A, who lived with $M {at the end of a lane|in a hut by the road}.

- %day $A met an old woman {at the well|in the wood} and {carried her wood|shared $A.his last crust with her}. "{You
  are kind|One good turn deserves another}," she said. "{Take this|Here is a} $c $p. Say, '{Cook, little $p|Little $p,
  cook}', and it will make $d. Say, 'Thank you, little $p', and it will stop."
- An old woman came to the door, {wet and cold|tired from the road}. $A gave her {the warmest seat|half of what there
  was}. When she left, she gave $A.him a $c $p. "It will cook $d when you ask," she said. "{But|And} to make it stop,
  you must say, 'Thank you, little $p.' {Do not forget|Forget anything, but not that}."

- That was a {happy|good} time! {Every day|Each evening} $A asked, the $p cooked {sweet|hot}, steaming $d, and $A
  said, "Thank you, little $p." {They were never hungry again|They grew round and rosy}.
- $A {ran home|tried it at once}. It was true! {Bubble, bubble|Blip, blip}, the $p was full of $d, {and how good it
  was|hot and good}. "Thank you, little $p," said $A, and it stopped.

- Now $R, {who lived next door|their neighbour}, {smelled|noticed} it. {One night|When they were out} $R {crept
  in|climbed in at the window}, {took the $p|stole the $p} and ran home. "{Cook|Cook, $p}!" $R.he said.
- But $R {looked in at the window|saw it all through a crack}. "{I must have that $p|I could sell a lot of $d}," $R.he
  thought. {And one day, when the house was empty, $R.he took it.|That night $R.he stole it.} "{Cook, little $p, and
  be quick|Cook, and hurry up}!" $R.he said.

- It cooked. {$R ate till $R.his buttons burst|$R filled every bowl}. "{Stop|Enough}!" $R.he said. The $p {cooked
  on|did not stop}. "{Halt! Finish! That will do|Stop, I order you}!" The $d {ran over the table|flowed on to the
  floor} and {out of the door|down the steps}.
- And the $p cooked. {One bowl, ten bowls, a tub|Soon all the dishes were full}. "{That is enough|Stop now}!" {shouted
  $R|cried $R}. But $R {did not know|had never learned} how to thank anyone. {The $d rose to $R.his knees|Up to $R.his
  knees $R.he stood in $d}.

- {Down the street it came|It ran down the street}, {slow and hot|thick and steaming}. {Cats jumped on the walls|The
  hens flew up on the roofs}. {People climbed on chairs|People ran for spoons}. "Help!" %cried $R.
- {Soon the whole street was full|The $d filled the lane} from {wall to wall|side to side}. {A goat swam by|A hen
  sailed by on a hat}. "Help!" %cried $R {from the roof|from the top of a cupboard}.

- $A {heard the noise|came home just then}. {$A.he understood at once|$A.he waded in}. "Thank you, little $p," $A.he
  said {%softly|politely}. And the $p {stopped|stood still}.
- Then $A {came round the corner|saw it}. "{Why do you not thank it|Did you never say thank you}?" {$A asked|asked
  $A}. "Thank you, little $p!" {It gave one last blip and was still|And it was over}.

- {For three days|For a week} {the whole village ate|everybody had to eat} $d, and $R had to wash the {street|lane}
  with {a brush|a mop}. {While $R.he scrubbed, $R.he practised: "Thank you. Thank you."|"Thank you," $R.he said when
  $A came to help, and it was the first time in years.}
- "{I am sorry|Forgive me}," said $R. "And... thank you." {It was hard to say, but it got easier|The words felt
  strange in $R.his mouth}. {Anyone who wanted to go down that street had to eat a path through it.|Then everyone took
  a spoon.}
""", A="child", M="parent", R="rich", p="pot|kettle|pan|bowl",
     d="porridge|soup|rice pudding|noodles|stew|bean soup|custard|honey rice|lentil soup", c="colour")


plot("One Wish|$A and the $w|$A's Wish|What $A Wished For", """
- %child %day $A.he found a {golden|small golden} $w {caught|stuck} {in a spider's web|under a stone}. {$A.he set it
  free|With one finger $A.he set it free}.
- %day $A, a $A.adj $A.k who lived $P, heard a {thin|tiny} voice. A $w was {caught|stuck} in {the fence|some thorns}.
  $A {helped it out|freed it}.

- "{You have saved me|Thank you}," said the $w. "{For that you may have one wish|I am a wishing $w. You have one
  wish}. {But only one|Think well}."
- And the $w {could speak|spoke}! "{One wish|A wish for you}," it said. "{I will come back tomorrow at sunset|Tell me
  tomorrow at sunset}. {Choose well|Think about it}."

- {A wish! |}$A ran {home|through the streets}. "{What would you wish for|If you had one wish, what would it be}?"
  $A.he asked $B. / "{A horse|A bicycle}!" said $B. "{No, a house made of cake|No, a hundred horses}!"
- $A asked {everyone|everybody}. "{Gold|A sack of gold}!" said the {baker|blacksmith}. "{To be tall|A crown}!" said
  $B, $A.his {friend|best friend}. "{A good night's sleep|A day without rain}," said the old {woman|man} at the
  corner.

- {In the evening|On the way home} $A came past $s. There sat $W with {$W.his head|$W.his face} in $W.his hands.
  "{What is wrong|Why are you so sad}?" asked $A. / "{The well|Our well} is dry," said $W. "{If no water comes, we
  must all go away|Without water we cannot stay here}."
- At $s people stood {in a ring|with empty buckets}. "{Not a drop|The well has dried up}," said $W. "{Without it the
  fields will die|The cows are thirsty, and so are the children}."

- That night $A {lay awake|could not sleep}. {A horse, a crown, a sack of gold|So many fine things} {danced|went
  round} in $A.his head. But behind them all stood {the empty buckets|the dry well}.
- {All night $A thought.|$A thought it over.} {If $A.he had a horse, what would it drink|What good is a house of cake
  in a village without water}?

- At sunset the $w came. "{Well|Have you chosen}?" / $A {took a deep breath|swallowed}. "{Please let there be water in
  the well|I wish for water}," $A.he said.
- "{I am ready|I know my wish}," said $A {the next evening|at sunset}. "{Fill our well|Let our well be full again}." /
  "{Nothing for yourself|No gold}?" asked the $w. / $A {shook $A.his head|thought of the horse and sighed}.
  "{Water|Just water}," $A.he said.

- {The $w beat its wings|The $w turned round three times}, and was gone. {Deep down in the earth something
  rumbled|From far below came a sound}. {Drip. Drip. Then a rush!|Then someone shouted: "Water!"}
- {There was a flash|It shone}, and {the $w was not there any more|then there was nobody}. But from the
  {square|street} came {a shout|cries of joy}: "{The well|Water, water}! {It is full|There is water in the well}!"

- {Everyone danced|They danced} and splashed, {even the old ones|even the dog}. Nobody knew {whose wish it was|where
  it came from}. {$A said nothing|Only $A knew}, and drank. {It was the best water in the world|It tasted of stars}.
- {That year|In spring} {the fields were green|the apples were as big as heads}. $B {looked hard at|nudged} $A. "{It
  was you|That was your wish}," $B.he said. / $A {only smiled|put a finger on $A.his lips}.
- {And the next morning|In the morning} {a foal stood by the well|a little lost foal stood by the well}, drinking. {It
  belonged to no one, and it followed $A home|It followed $A home, and nobody ever came to ask for it}.
""", A="child", B="child", W="worker", w="beetle|moth|butterfly|dragonfly|ladybird|bee",
     s="the village square|the market|the fountain|the tea shop|the bakery", P="dry")


plot("The Seed|$A and the Seed|$A's $f|The Biggest $f|$A Plants a $f", """
- {Old|Kind} $W gave $A {a seed|one seed}. It was {no bigger than a crumb|small and brown}. "{What will it be|What is
  in it}?" asked $A. / "{Wait and see|Plant it, and you will know}," said $W.
- %child %day $A.he {found a seed in $A.his pocket|got a seed from $W}. "{Is it dead|What is it good for}?" asked $A.
  / "{It is asleep|It is only sleeping}," said $W. "{You must wake it|It wants a bed of earth}."

- $A made a hole {by the wall|behind the house}, laid the seed in it and {covered it up|tucked it in}. {Then $A.he sat
  down to wait|$A.he gave it water}. {Nothing happened|There was nothing to see}.
- $A {dug|scratched} a little hole, {put|dropped} in the seed and {gave it a drink|poured water on it}. "{Grow|Please
  grow}," $A.he said. {The seed did not hurry|It did not grow at once}.

- {The next day there was nothing|Nothing on Monday, nothing on Tuesday}. "{I will dig it up and look|Is it still
  there}," said $A. / "{No|Do not}," said $W. "{Do you wake a baby to see if it sleeps|It is busy in the dark}."
- {Three|Four} days went by. "{It does not want to|It will never come}," {$A said|said $A} to $B. / "{My grandmother
  says seeds like singing|Perhaps it is lonely}," said $B. So {they sang to it|both of them sat by it and told it
  stories}.

- Then {one morning|after the rain} there was {a green thread|a little green hook}. {It had two leaves|It unfolded two
  leaves like hands}. $A {danced round it|ran to tell $B}.
- {At last|And then}, {on the ninth day|one wet morning}, the earth {cracked|opened}, and {something green|a green
  nose} looked out. "{Good morning|Hello}!" said $A.

- But {that night|one day} {a goat got into the garden|the hens got out}, and {when $A came|in the morning} {only a
  stump was left|half of it was eaten}! $A {wept|cried bitterly}.
- But then {came a week of heat|the sun burned for two weeks}. The leaves {hung down|turned yellow}. $A {carried
  water|ran with the jug} {morning and evening|from the stream}, though {it was far|the jug was heavy}.

- "{It still has its roots|Give it time}," said $W. $A {built|made} a {fence|roof} {of sticks|out of an old basket}
  {round|over} it. $B {helped|brought the string}. And slowly, {leaf by leaf|day by day}, it {came again|grew strong}.
- $B {came to help|made a little roof of straw for it}. They {took turns|took turns to watch over it}. {And it did not
  die|And it lived}. It {climbed|grew} to $A's knees, {to $A.his chin|then to $A.his middle}.

- {By the end of summer|In autumn} $A knew what had been in the seed: {a $f|one $f}, and {what a $f|then another, and
  another}! {It was the finest in the village|$A had never seen one so fine}.
- And {in the end|when autumn came} there it was: a $f! {$A walked round it three times|$A could hardly believe it}.
  {"All that was in one crumb?" said $B.|It had all come out of that small seed.}

- {They had a feast|They ate together}, $A, $B and $W. {Inside, $A found seeds|And $A kept back some seeds}. $A gave
  one to $B. "{What will it be|What is it}?" {teased|asked} $B. / "{Wait and see|You must wait}," said $A.
- {$A kept the seeds in a box|$A saved the seeds in a twist of paper}. {Next spring every child in the street got
  one|In spring $A.he gave them away}. "{Do not dig it up to look|You must sing to it}," $A.he {told them|said}.
""", A="child", B="child", W="oldworker", f="pumpkin|melon|sunflower|gourd|squash|watermelon", P="home")


plot("$A Who Wanted to See the Sea|The Long Way to the Sea|$A and $B Go to the Sea|"
     "$A's Journey", """
- %beast $A.he had never seen the sea. But {a gull|the wind} had told $A.him about it, and {now $A.he thought of
  nothing else|since then $A.he could not sit still}.
- $P lived a $A.adj $A.b. {One evening|Once} {a gull|a swallow} sat down to rest there and {spoke of|told $A.him
  about} the sea. "{It is bigger than any meadow|It is blue, and it has no other side}," {the bird said|said the
  bird}. "I must see that," {said $A|thought $A}.

- "{You are too small|It is much too far}," said the neighbours. {Only|But} $B, a {friendly|hungry} $B.k, {said, "I
  will come too."|asked, "May I come along?"} So {they packed some food and went|the two set out at sunrise}.
- $A {packed|took} {a bundle|a bag} and {set off|went}. At the {crossroads|edge of the meadow} $A.he met $B. "{Where
  are you going|Why the bag}?" asked $B. / "To the sea." / "{Then I will come with you|Is there room for two on the
  road}?"

- They asked {a cow|an old horse}. "{The sea|I do not know it}," she said. "{Follow the stream|Ask the stream. It goes
  there every day}." So they followed the {stream|water}, {over stones|through reeds}, {day after day|for three days}.
- "{Which way|How do we find it}?" asked $B. / "{All water goes to the sea|The stream knows the way}," said $A. So
  they {walked beside the stream|kept close to the stream}. {By night they slept under leaves|At night they shared one
  leaf for a blanket}.

- On the {fourth|third} day {$B hurt $B.his foot|$B had a thorn in $B.his foot}. "{Go on without me|Leave me here},"
  said $B. / "{The sea has waited so long, it can wait|I will not see it without you}," said $A. {And they rested for
  two days|$A made a bandage of grass}.
- Then {it rained|a storm came}, and $A {slipped|fell} into the stream. {Away $A.he went|The water took $A.him}! $B
  {ran along the bank|did not think twice}, {held out a branch|threw a vine} and {pulled $A.him out|pulled}. "{You are
  all wet|Did you want to get there faster}?" said $B, {and both of them laughed|shaking all over}.

- The stream {grew into|became} a river, and the river grew {wide and slow|so wide that they could not see across}.
  The {air|wind} smelled {strange|of salt}. "{I am tired|I cannot go on}," said $B. / "{One more hill|Just this
  hill}," said $A.
- {Their food was gone|They had eaten the last crumb}. "{Perhaps there is no sea|What if the bird made it up}," said
  $B. $A {looked at the water|did not answer}. {It had begun to hurry|There was salt in the wind}. "{Up that hill|One
  more hill}," $A.he said.

- They {climbed it|went up}. And there it was! {Blue, and blue, and blue|Nothing but blue}, {and all of it was
  moving|with white edges}. {Neither of them said a word|They forgot to breathe}.
- And {from the top|then} they saw it. {It was so big that the sky had to bend down to it|It had no other side, just
  as the bird had said}. {"Oh," said $A. That was all.|"It is breathing," said $B.}

- They {put their feet in|ran down to the water}. {A wave came and tickled them|A wave ran after them}, and they
  {squealed|ran away from it and came back}. {All day they played|They found a pink shell}.
- {All that day|Until evening} they {ran before the waves|sat in the sand and watched}. {When the sun went in, the
  water turned to gold|Then the sun went down into it, and $B worried that it would get wet}.

- "{What was the best of it|What did you like best}?" the neighbours asked when they {came home|were home again}. /
  "{The sea|The waves}," said $B. / $A {thought|thought about it}. "{The way there|The road}," $A.he said, "{with
  $B|because we were two}."
- They {took home|brought back} a {shell|bottle of sea water}, {and told the story|and whoever wanted could listen to
  it}. {And in spring they went to look for the mountains.|"And where shall we go next?" asked $B.}
- {They stayed one week|They stayed till the moon was full}. Then they {turned round|followed the river home}. {The
  way back was shorter, because they told each other about it all the way|The little ones at home wanted to hear it
  every night}.
""", A="walker", B="walker", P="wild")


plot("Counting the Stars|$A Counts the Stars|How Many Stars?|$A and the Stars", """
- %child {One evening|One summer night} $A.he {lay|was lying} on the {roof|grass} and looked up. "How many stars are
  there?" $A.he asked.
- "How many stars are there?" asked $A {one night|at bedtime}. {$G did not know|Nobody knew}. "{Then I will count
  them|Somebody should count them}," said $A.

- $A began. "One, two, three..." At {forty|sixty} {a cloud came|$A.he sneezed}, and $A.he {had to start again|forgot
  where $A.he was}. {"One, two, three..." At ninety $A.he fell asleep.|The next night it was no better.}
- {That night|So} $A took {a pencil|a slate} and {began|started}. $A.he got as far as {a hundred|eighty}. Then {a bat
  flew past|$A.his eyes closed}, and {the number was gone|when $A.he woke, it was day}.

- $A asked $T at {school|the school}. "{More than the grains of sand|Too many for one person}," said $T. / "{For one
  person|For one}," said $A {slowly|to $A.self}. {And $A.he had an idea|That gave $A.him an idea}.
- "{You cannot count them all|It is too much for you}," said $B. / "{Not I alone|No}," said $A, {and jumped up|and
  suddenly $A.he had an idea}, "but {you could take a piece|we could share}!"

- $A {made|cut} {a frame|a ring} out of {sticks|paper}. "{Each takes one piece of sky|One piece of sky for each},"
  $A.he said. {Next evening|That evening} {ten|twelve|twenty} children {lay|were lying} on the {hill|roofs}, and
  {everyone looked|each looked} through a ring.
- The next evening all the children of the {street|place} {came|met} on the hill. {They lay in a circle|They lay down
  like the spokes of a wheel}. "{You count there|That part is yours}," said $A, "{from the chimney to the pine|from
  the tower to the moon}. {And you take the next|And $B takes the next}."

- {It was very quiet|Nobody spoke}. You could only hear {whispers|a murmur}: "{Seventeen, eighteen...|Forty-one,
  forty-two...}" {Even $G lay down in the grass|$G came too, and counted with $G.his finger}.
- They counted {and counted|for a long time}. {The little ones counted on their fingers|The smallest could only count
  to ten, and began again each time}. {An owl wondered what was going on|The dogs wondered what was going on}.

- {Then a star fell|Suddenly a star fell}! "{That was one of mine|Oh! Minus one}!" cried $B, and {everyone|they all}
  laughed, {so that nobody knew the number any more|and the numbers flew away like birds}.
- At the end they {put the numbers together|added it up}. It came to {two thousand and six|one thousand nine hundred
  and three|three thousand and twelve}. "{But I saw a new one just now|And those behind the hill}?" said $B. {They
  looked at one another and laughed|And $A wrote: "and some more"}.

- "So we do not know," said $A. But $A.he was not {sad|cross}. {$A.he had never known how many friends lived in the
  street|The night had never been so full of friends}.
- "{And how many are there|So how many}?" asked $G {on the way home|at the door}. / "{Enough for everybody|Enough},"
  said $A, and {yawned|went to bed}.
- {Every summer after that they met on the hill|They did it again every year}. {The number was never the same|They
  never got the same number twice}, and {nobody minded|that was the best of it}.
""", A="child", B="child", G="elder", T="teacher", P="home")


plot("The $Q.k Who Could Not Sleep|$A and the Sleepless $Q.k|A Cure for the $Q.k|"
     "How $A Helped the $Q.k Sleep", """
- In $l lived a $Q.k who could not sleep. {$Q.he had a bed of gold|$Q.his bed had seven pillows}, but every night
  $Q.he {turned from side to side|lay awake}.
- The $Q.k of $l {had everything|was very rich}, but {no sleep|one thing $Q.he did not have: sleep}. {Night after
  night|Every night} $Q.he {walked up and down|counted the lamps in the hall}.

- Doctors came with {powders|drops}. {One|A wise man} told $Q.him to eat {onions|raw eggs}, {another|one} to {stand on
  $Q.his head|sleep in a boat}. {It did not help|Nothing helped}. The $Q.k grew {cross and thin|pale and cross}, and
  {so did everybody round $Q.him|the whole palace went on tiptoe}.
- "{Make me sleep|Help me}!" said the $Q.k. "{I will give a bag of gold|Gold for the one who can do it}."
  {Musicians|Singers} came, {doctors|wise men} came. {The drums kept $Q.him awake, the pills tasted of soap|Nothing
  was of any use}.

- Now $A, a $A.k of $A.age, {brought milk to the palace|carried wood to the kitchen}. "{Has the $Q.k ever been
  tired|Is the $Q.k tired}?" $A.he asked the cook. {The cook did not know what to say|"Tired? From what?" said the
  cook}.
- Then came $A, {a $A.adj $A.k|a $A.k} from {a farm|the village}. "{I sleep like a stone|At home we all sleep well},"
  $A.he said. "{Let the $Q.k come with me for one day|If you come to us for one day, you will sleep too}."

- {The next morning|So} the $Q.k {put on old clothes|took off the crown} and {went with $A|followed $A}. {They milked
  the cows|They fetched water from the well}. They {chopped wood|dug up potatoes}. {At noon they ate bread and
  cheese|Then they sat down to bread and onions}, and {the $Q.k asked for more|it tasted like a feast}.
- "{Why not|Let us try it}," said the $Q.k, {when $Q.he heard of it|}. All day $Q.he {worked at $A's side|did what $A
  did}: {weeding, carrying, sweeping|hay on the cart, hay off the cart}. {$Q.his hands got blisters|The sun shone on
  $Q.his royal nose}.

- In the {afternoon|evening} {an old neighbour's cart stuck in the mud|a neighbour's fence had fallen down}.
  "{Push|Come on}!" cried $A, {and forgot that it was the $Q.k|}. {They pushed|They worked} until {it was done|they
  were covered in mud}. "{Thank you, friend|Bless you}," said the old man {to the $Q.k|}. Nobody had ever {called
  $Q.him that|said that to $Q.him}.
- {Before supper|Then} {a lamb was missing|one lamb was gone}. They {called and climbed|looked for it} until {the moon
  came up|it was dark}, and it was the $Q.k who {found it|heard it}, and {carried it home|carried it back in $Q.his
  arms}.

- {After supper|When the soup was eaten} they sat {by the fire|on the bench}. "{What a day|That was a day}," said the
  $Q.k. "{Tell me|And now}, how do you..." {But before the end of the sentence|And there} $Q.he was asleep.
- There was {soup|bread and soup}, and $A's {mother|father} {sang|told a story}. {In the middle of it|At the second
  line} came {a snore|a strange noise}. {The $Q.k was asleep|It was the $Q.k}, {on a sack of straw|with a cat on
  $Q.his feet}!

- $Q.he slept {till noon|all night and half the day}. "{What was the medicine|What did you give me}?" $Q.he asked. /
  "{A day's work and a thank you|Nothing}," said $A. "{You were tired|You earned it}."
- {In the morning|At noon} the $Q.k woke and {stretched|laughed}. "{Here is your gold|The gold is yours}," $Q.he said.
  / "{Buy a cart for our neighbour|Give half of it to our neighbour}," said $A.

- {From then on|Ever since} the $Q.k worked in {the garden|the palace garden} each day. {The golden bed was sold|The
  seven pillows were given away}, and {the whole palace slept well|you could hear the royal snore in the street}.
- Once a week the $Q.k {came to the farm|came back}. {"To work," $Q.he said.|And the lamb ran to meet $Q.him.} {But I
  think it was for the soup, too.|And each time $Q.he slept like a stone.}
""", A="child", Q="king_queen", l="land")


plot("The Moon in the $w|$A and the Moon|Who Stole the Moon?|$A Saves the Moon", """
- %beast {One clear night|One night} $A.he {came to drink at|looked into} the $w. {Down there lay the moon|The moon
  was in it}! "{It has fallen in|The moon has fallen down}!" cried $A.
- "{Help! The moon is drowning|The moon has fallen into the $w}!" {It was $A|That was $A}, a $A.adj $A.k, who {shouted
  it|woke everyone up}. {And there it was, round and white in the water|All came running, and looked, and it was
  true}.

- {$B came|$A ran to fetch $B}. $B {looked into the water|bent over it}. "{So it has|Poor moon}," $B.he said. "{We
  must get it out|It must be so cold down there}."
- "{What will the nights be like without it|Without it we shall never find the way home}?" said $B, {who had come to
  see|yawning}. "{We must pull it out|Fetch something to pull with}."

- They {fetched|brought} a {net|long branch} and {fished for it|reached down}. {The moon broke into a hundred
  pieces|It broke into bits}! "{Now it is broken|What have you done}!" {cried|wailed} $B. {But when the water was
  still, it was whole again|They waited, and the bits came together}.
- $A {took|found} a {bucket|bowl} and {dipped it in|scooped}. "{I have it|Got it}!" {And it was so: there was a little
  moon in it|There was a moon in it, too}. {But when $A.he poured it out, there was only a wet place on the ground|But
  when they carried it under the tree, it was gone}.

- "{We must hold on to each other|We make a chain}," said $A. $A took hold of {a root|a post}, $B {held on to|took}
  $A, and {leaned down|reached lower and lower}. {The root cracked|Crack}! Splash! {Both of them were in the water|In
  they fell, both of them}.
- $B leaned {far over|over}, and $A held $B by the {tail|foot}. "{A little more|Lower}!" said $B. {$A sneezed|Then
  $A's foot slipped}. {Splash|With a great splash}, both went in.

- They {climbed|crawled} out, {wet and cold|dripping}, and {fell on their backs|lay down on their backs}. And {what
  did they see|there}, {high above|up in the sky}? The moon!
- {Spluttering|Puffing}, they {got out|came up the bank}. $A lay {there|on $A.his back} and {opened $A.his eyes|looked
  up}. {There hung the moon|The moon was in the sky}, {round and dry|where it always was}.

- "{We did it|It worked}!" cried $A. "{We threw it back|We have splashed it back up}!" / "{Did we|Hm}," said $C, {an
  old $C.k|a wise $C.k} who {had watched it all|lived in that tree}, and {did not say more|smiled}.
- $C, {an old $C.k|a wise old $C.k}, {had seen it all|came by}. "{That down there is only its picture|The water is a
  mirror}," said $C. "{Look at your own face|You are down there too}." {They looked, and there were three faces, and
  the moon|$A looked in. Somebody wet looked back.}

- $A and $B {laughed so much that they nearly fell in again|laughed until they were warm}. {And whenever the moon is
  round, they go there to visit both of them|"One for the sky and one for us," said $B}.
- They went home {proud and wet|to dry}. {The others laughed about it for a week|"A good night's work," they said}.
  And {the moon went with them|the moon walked along above the trees}, {all the way|as if it wanted to say thank you}.
- "{Shall we tell anyone|Must everyone know about this}?" asked $B. / "{Better not|No}," said $A, {and sneezed|and
  both of them laughed}. {The moon said nothing either|But $C told everyone}.
""", A="walker", B="walker", C="owlish", w="pond|well|lake", P="wild")


plot("The $A.k Who Was Too Old|Old $A|$A Is Still Good for Something", """
- For {twenty|many} years {an old|the} $A.k called $A had worked for $F. $A.he {carried|had carried} {sacks|corn},
  $A.he {pulled|had pulled} the {cart|plough}. Now $A.his {legs were stiff|back hurt} and $A.his {eyes were dim|coat
  was grey}.
- On a farm {in the hills|by the river} lived an old $A.b. When {young|$A.he was young}, $A.he had pulled the
  {heaviest|biggest} carts. Now $A.he {was slow|needed a rest on every hill}.

- %day $F brought home a young {horse|pony}, {black and shiny|full of fire}. "{You can go and stand in the field|There
  is no more work for you}," $F.he said to $A. {$A hung $A.his head|That hurt $A more than any load}.
- "{What use is an old $A.k|You eat and do not work}?" said $F {one day|%day}, and bought a {strong|young} pony. {$A
  was put out in the far field|From then on $A had to stand outside}. {Nobody came to pat $A.him|There $A.he stood, in
  sun and rain}.

- Only $C, $F's child, {came every day|did not forget $A.him}. {$C brought a carrot|$C brought $A.food} and {told
  $A.him the news|scratched $A.him behind the ears}. "{You are my $A.k|I know what you can do}," said $C.
- Only little $C {still came|visited $A.him}, {with an apple|with a bit of bread}. "{Do you remember how you carried
  me|You carried me before I could walk}?" $C {asked|said}.

- {Winter came|Then came winter}. {One afternoon|One evening} $F {drove to town|was on the way home} with the young
  pony {and $C|, and $C sat in the cart}. It began to snow, {thicker and thicker|so hard that the road disappeared}.
- In {January|December} $F and $C {drove|went} over the {hill|pass} with the young pony. {On the way back|As they came
  home} a snowstorm {caught them|began}. {Everything was white|There was no road, no fence, no sky}.

- The young pony {was frightened|did not know the way}. It {reared|pulled left, it pulled right}, {broke loose|tore
  the strap} and ran off. {Now they were alone in the snow|There they sat}. "I am cold," said $C {in a small voice|}.
  {"What shall we do?"|"Are we lost?"}
- The young pony {stopped|would not go on}. It {shook|trembled} and {then it tore loose and was gone|ran away, back
  into the storm}. "{Which way is home|Where are we}?" asked $C. $F {did not know|looked round and round}.

- {In the far field|At home} $A {lifted $A.his head|pricked up $A.his ears}. The young pony came {home|galloping home}
  alone. {Something was wrong!|Where was $C?} $A {pushed|leaned} against the gate {with all $A.his weight|until it
  broke} and {went out into the storm|walked out into the snow}.
- When the pony came {running home|back} {without them|with an empty strap}, $A {knew|understood}. $A.he {broke the
  fence|jumped the fence as in old times} and {went up the hill|went into the white}. {$A.he could not see, but $A.he
  did not need to|$A.he had walked that road ten thousand times}.

- {Then $C heard something|Through the wind came a sound}. "{That is $A|It is $A}!" {cried $C|$C cried}. {Out of the
  snow came a grey head|There $A.he stood, white from ears to tail}. $A.he {pushed $A.his warm nose into $C's
  hands|knelt down so that $C could climb on}.
- $C put {both hands|two fingers} to $C.his mouth and {whistled|called $A's name}. {And $A answered|From far away came
  an answer}. {Soon|A little later} {a big warm shape stood before them|they felt $A.his warm breath}.

- $C rode and $F {walked behind, one hand on $A's back|held on to the tail}. {Step by step|Slowly}, {never once
  wrong|without stopping}, the old $A.k took them {down the hill|home} {to the lighted window|to the door}.
- "{Let $A lead|Just follow $A}," said $C. "{$A.he knows every stone|$A.he knows the way in $A.his sleep}." {And so it
  was|They let $A.him choose}. {An hour later they saw the light of their own house|At midnight they were home}.

- $F {put $F.his face in $A's wet coat|stood a long time in the stable}. "{I thought you were no use|I was a fool},"
  $F.he said. {From that day|Ever after} $A had the {warmest|best} {place in the stable|stall}, {and the young pony
  learned the way from $A.him|and the first oats of the sack}.
- "{Old is not the same as useless|What is in that old head cannot be bought}," said $F. {They made up a bed of fresh
  straw|$A got oats with honey}. The young pony {came back|stood next door}, and {$A told it about the road|watched,
  and learned}.
""", A="oldbeast", F="farmer", C="child")


plot("The Raft|$A and $B Build a Raft|$A's Raft|The Voyage of the Raft", """
- On the other side of the {river|lake} {there was|lay} an island, and {nobody had ever been there|$A and $B wanted to
  see it}. But they had no boat.
- $A and $B {lived|were friends and lived} by a wide {river|lake}. In the middle of it was an island. "{What is on
  it|Who lives there}?" $A always asked. / "{Let us find out|Let us go and see}," said $B one day.

- They {tied|bound} {five|six} logs together with {string|grass}. {It looked very fine|It looked like a real ship}.
  But {they had hardly sat down|both had just sat down} when the {knots|string} broke, and {down they went|splash}!
- First they took {an old door|a wash tub}. {It turned round and round|It went round in circles} and {filled with
  water|sank}. {They swam back, laughing|They came home with wet shoes}. Then they tied logs together, but {the string
  broke|the knots came undone}.

- "{It was your knot|You tied it badly}," said $A. / "{No, it was your log|You jumped on it}," said $B. {For a whole
  hour they were angry|They sat back to back on the bank}. {Then $B giggled.|Then a frog jumped on $A's wet shoe, and
  both of them had to laugh.}
- "{That was no good|It cannot be done}," said $B. "{Let us go home|I give up}." / "{Not yet|Once more}," said $A.
  "{The sea was not crossed on the first day|We now know two ways that do not work}."

- $W {had watched them|came along the bank}. "{Good logs, bad rope|Your rope is too thin}," said $W. "{Twist three
  strings into one|One string breaks, but three twisted together hold}." {And $W.he showed them how|$W.He showed them
  a sailor's knot}.
- They asked $W. "{A raft is only as strong as its rope|The trouble is the rope}," $W.he said, and {taught them to
  twist three thin strings into a thick one|showed them how to plait three strings together}.

- They {plaited|twisted} rope {all afternoon|for two days}, until their fingers {burned|were sore}. {Then they tied
  the logs again|Then every log was tied twice}. $A jumped on it. $B jumped on it. {It held|It did not even creak}!
- {On Saturday|The next week} the raft was {ready|finished}. It had a {mast|long pole} and {a flag made of a sock|$B's
  red shirt for a flag}. {$W broke a cup of milk over it, for luck|They pushed it into the water}. It {floated|swam
  like a duck}!

- {Slowly|Without a sound} they {floated|went} across. And what was on the island? {Three trees, a stone and a duck on
  her eggs|A single apple tree, full of red apples}. {"It is the best island in the world," said $A.|They ate their
  bread there, and it had never tasted so good.}
- {The island was not large|You could walk round the island in five minutes}. There was {no treasure|no king}, only
  {blackberries|birds} and {warm stones|a little beach}. "{Do you know what the treasure was|Is there nothing here}?"
  asked $B. / "{The rope|We are here}," said $A.

? They gave it a name: {Wet Shoe Island|Island of Two|Three Strings}.
? In the evening $W saw a {small|} light on the island. {They had made a fire|It was their fire}, and they were
  singing.
""", A="child", B="child", W="boatman", P="home")


plot("The Dry Summer|$A Digs a Well|$A and the Well|Who Will Dig?", """
- No rain had fallen {since spring|for three months}, and $P the {water hole|pond} was {dry|only mud}. {All the
  animals were thirsty|The animals walked about with dry tongues}.
- %beast One year {the sun burned and burned|there was no rain}, and the {stream|pond} {dried up|became a row of
  puddles, and then dust}.

- "There is water under the ground," said $A. "{I can smell it|The grass is green here}. {We must dig|Let us dig a
  well}." {All the others agreed|The others said yes}, all but $B. "{I have a sore foot|My back hurts}," said $B, {and
  lay down in the shade|and yawned}.
- $A called them all together. "{Let us dig|If we dig, we shall find water}," $A.he said. / "{Digging makes me
  thirsty|It is too hot}," said $B. "{I will watch|You dig, and I will sleep}."

- So they dug. {One loosened the earth, one carried it away|Some dug with claws and some with horns}, and {the birds
  sang|they sang}, to make it go {faster|better}. {On the third day the earth was damp|On the third day the sand
  turned dark}. On the fourth there was water!
- {For three days|Day and night} they dug, {deeper and deeper|down and down}. {They found stones, then roots, then
  sand|Their paws were sore}. {$B lay under a tree and ate|From the shade came the snores of $B}. Then $A {gave a
  shout|felt something cold}. Water!

- {Everyone drank|How they drank}! {Sweet and cold it was|It was as sweet as honey}. Then they saw that {$B had come
  too|there was $B, right at the front}. "{I am thirsty too|Let me through}," said $B. {The others stood in $B.his
  way|"Oh no!" they said}.
- Who came {running|first} with a {bucket|cup}? It was $B! "{Stop|Not you}!" said the others. "{Why should you
  drink|Where were you when we dug}?" {$B's ears hung down|$B looked at $B.his feet}.

- {That night|In the night} $B {crept|came} to the well {to steal some water|alone}. {But it was dark|It was very
  dark}. {$B.he slipped|$B.he leaned too far} and fell in! "{Help|I cannot swim}!" {Who heard it?|} It was $A {who
  heard it|who woke}.
- $B {tried to sleep, but could not|lay awake with a dry mouth}. {At midnight|When all was still} $B.he {went to the
  well|crept to the edge}, {bent down|leaned over}, and splash! "{Help me|Help}!" {$B cried|cried $B}. $A {was on
  guard|heard it}.

- $A {let down a vine|pushed down a long branch} and called the others. {They were still angry|They grumbled}, but
  {they pulled|they came and pulled}. Up came $B, {wet through|dripping}. "{Have you drunk enough|Did it taste good}?"
  asked one, and {they had to laugh|everyone laughed, even $B}.
- {"Why should we help?" said the others. "Because I would pull out any of you," said $A.|"Hold on!" $A called, and
  woke the others.} {With a vine|With a rope of grass} they pulled $B out, {cold and sorry|cold and wet}.

- "{I was lazy|I did not do my part}," said $B. "{Give me some work|I will make it good}." {So $B carried stones and
  built a wall round the well|And $B built a wall of stones round the well}, so that {no one|nobody} could fall in
  again. {And then $B drank|And no water had ever tasted so good to $B.him}.
- The next {day|morning} $B was {up first|gone}. {$B.he was carrying stones|They found $B.him carrying stones}. All
  day $B.he built a wall round the well. "{So that no little ones fall in|It is for the little ones}," $B.he said. {In
  the evening $A gave $B.him the first cup.|And everybody said: "Come and drink."}
""", A="eater", B="lazy", P="wild")


plot("$A and $B in the Sea|The Lost Little $B.k|The Pearl|$A Finds the Way Home|"
     "Deep in the Sea", """
- {Deep|Far down} in the {blue|warm} sea, {among the corals|by a reef}, lived a $A.adj $A.b. {$A.he knew every stone
  there|$A.he had never been further than the reef}.
- %once a $A.adj $A.b lived {in the sea, by a red reef|under the waves}. {$A's home was small, but it was $A.his
  own|The water there was warm and full of light}.

- {After a storm|One morning after a storm} $A found a $B.k {in the weed|between two rocks}. $B.He was {crying|very
  small}. "{The waves carried me away|The storm took me far from home}," said $B. "{I do not know the way|I want to go
  home}."
- %day {somebody sobbed|there was a sob} behind a {rock|sponge}. There sat $B, a {little|young} $B.k. "{A big wave
  brought me here|The storm tore me away}," $B.he said. "{Where is my mother|How shall I get home}?"

- "{What is your home like|What can you see from your home}?" %asked $A. / "{There is a big anchor|There is an old
  ship}," said $B, "and {beside it a garden of white weed|white sand all round}." {$A had never seen it|$A did not
  know the place}. "{We will ask|Someone will know it}," $A.he said.
- "{Do not cry, the sea is salty enough|Do not cry}," said $A. "{Tell me about your home|What is there near your
  home}?" / "{An old ship|An old ship with an anchor}," said $B. "{And white sand|I sleep in the white sand beside
  it}." / "{Then we will look for the ship|Come, we will find it}," said $A.

- They asked {a crab|a lobster}. "{Ship|An old ship}? {Not here|I only know holes}," it said. They asked {an eel|a
  jellyfish}. "{To the left, or the right|Where the water gets cold}," it said, {and drifted off|and was gone}. {That
  was no great help|They thanked it all the same}.
- {First they swam past the kelp forest|The way led through a dark kelp forest}. $B {was afraid|held on tight}. "{Look
  at my tail and nothing else|Stay close beside me}," said $A, {and sang a song|though $A.he was afraid too}. {The
  kelp waved like long arms|Something large went by, and they kept quite still}.

- {Then a shark came|Suddenly there was a shadow}: {a grey shark|a shark, long and grey}! {There was nowhere to
  hide|Where could they hide}? "{In here|Quick}!" said $A, and {they slipped into a big empty shell|pushed $B into an
  empty shell and squeezed in behind}. {The shark sniffed, bumped the shell and swam on|The shark swam round it once,
  twice, and was gone}.
- {Further on|A little later} they came to a net. $B {was caught in it|swam right into it}! {$A pulled|$A tugged and
  bit}, {thread by thread|knot by knot}, until there was a hole {as big as a shell|just big enough}. "{I would have
  been lost without you|You did not leave me}," said $B.

- {At last the sand grew white|The sand grew whiter and whiter}. {And there, tall and dark,|And in front of them}
  stood the old ship! "{Mother|Mother, I am here}!" cried $B. {Out of the anchor's shadow|From behind the anchor} came
  {a big $B.k|$B's mother}, {and how glad she was|and there was a great hugging}.
- Then $B {gave a shout|stopped}. "{The anchor|My anchor}!" {There lay the ship, and there was $B's mother, looking
  for $B.him|And there came $B's mother, who had not slept since the storm}.

- "{How can I thank you|What can I give you}?" asked the mother. "{We have pearls|Take a pearl}." / "{A pearl is
  pretty|No, thank you}," said $A, "{but may $B visit me|but I would like to come again}?" {And so they agreed on
  every full moon|Now they meet at every full moon}.
- $A {stayed for supper|stayed three days}. {Then $A.he swam home, past the kelp and the net, and was not afraid at
  all|The way home seemed short}. {On every stone $A.he left a white shell, so that $B could find the way|And $A.he
  put down white shells all along the way, so that friends could find each other}.
""", A="swimmer", B="seachild", P="wild")


plot("$A and the Echo|The $A.k Who Shouted at the Hill|The Voice in the Hills|Who Is There?", """
- %child {One day|One Sunday} $A.he went up into the hills {alone|to look for berries}. "Hello!" $A.he shouted, just
  for fun. And from far away {came an answer|a voice said}: "Hello!"
- %child $A.he was out with the {goats|sheep} one day when $A.he called, "Hello!" {Somebody|A voice} on the other side
  of the valley called back: "Hello!"

- $A {looked round|was surprised}. There was nobody. "Who are you?" $A.he called. / "{Who are you|Are you}?" said the
  voice. / "I asked first!" {shouted|cried} $A. / "Asked first!" said the voice.
- "Come out!" {called|cried} $A. / "Out!" {said|called} the voice. / "Are you a fool?" / "A fool!" came the
  {answer|reply}.

- $A grew {angry|red in the face}. "You are {silly|mean}!" $A.he shouted. / "You are {silly|mean}!" called the voice.
  {$A threw a stone|$A stamped $A.his foot} and {ran home|went home in a bad temper}.
- Now $A was %angry. "Go away!" {$A yelled|$A.he shouted}. / "Away!" yelled the voice. {The whole valley was full of
  it|It came from all sides}. $A {ran home with $A.his hands over $A.his ears|ran home, nearly crying}.

- "{There is a rude child in the hills|Somebody in the hills is so nasty}," {$A told $G|said $A to $G}. "{It says bad
  things to me|It calls me names}." / $G {tried not to smile|went on shelling peas}. "{What did you say to it|And how
  do you talk to it}?" $G.he asked. / {$A told $G.him|$A had to think}.
- At home $A told $G {all about it|everything}. "{It hates me|It was so rude}!" / "{Go back tomorrow|Try again}," said
  $G. "{Say something friendly, and see|Take it something kind}."

- {So the next day $A climbed up again|In the morning $A went up once more}. {It was quiet there|The valley lay in the
  sun}. $A {coughed|felt rather foolish}. "Good morning!" $A.he called. / "Good morning!" said the voice. / "Are you
  my friend?" / "My friend!"
- {Next day $A stood in the same place|So $A went back}. "I like you!" $A.he called, {not very loudly|a little shyly}.
  / "Like you!" it came back, {warm and clear|and it sounded glad}. And $A laughed.

- "{It was me all the time|So that is what it is}!" {$A said to $G|said $A to $G} that evening. "{The hill gives back
  what I give it|It only says what I say}." / "{People are a bit like hills|Not only hills do that}," said $G.
- $A {sang a song|whistled}, and the valley {sang|whistled} with $A.him. {It was like having a hundred friends|One
  voice became many}. "{What you call into the hills|As you call}," said $G, "{comes back to you|so it answers}."

- {Since then|After that} $A {goes up there often|calls something kind into the hills every morning}. {And at school
  $A.he tried it too: "Good morning," $A.he said to the girl whom nobody liked. And what did she say? "Good
  morning!"|And the same trick worked on the cross old neighbour. It only took longer.}
- The next day $A met the boy who always pushed {at the gate|in the street}. $A {wanted to shout|opened $A.his mouth
  to shout}. Then $A.he remembered the hill. "Hello," said $A. {The boy looked up|The boy was so surprised that he
  forgot to push}. "Hello," he said.
""", A="child", G="elder", P="highland")


plot("$A's Birthday|The Forgotten Birthday|Did Everyone Forget?|A Surprise for $A", """
- %beast {Tomorrow|The next day} was $A.his birthday. {$A.he could hardly sleep|$A.he washed $A.his ears twice}.
- A $A.adj $A.b lived $P. One morning $A.he {woke up early|was awake before the birds}, for it was $A.his birthday!
  $A.He {sat up straight|combed $A.his whiskers} and waited {for the first guest|for someone to come}.

- {Nobody came|But no one came}. {At nine|After breakfast} $A went {to see|over to} $B. "{Good morning|Hello}," said
  $A. "{Do you know what day it is|Is today not a special day}?" / "{Tuesday|A windy day}," said $B, and {shut the
  door|was gone}.
- In the morning {$A met|came} $B, {in a great hurry|with a bag}. "{What a lovely day it is|Is it not a special day},"
  said $A. / "{Is it|No time, no time}," said $B, and {was gone|hurried on}. {In the bag something clinked|There was
  flour on $B.his nose}.

- Then $A {met|visited} $C. $C {hid something behind $C.his back|blew out a candle quickly}. "{Not now|I am busy},"
  said $C. "{Come back later|Please go away}." {A tear rolled down $A's nose|That hurt}.
- $C was {no better|just the same}. "{You cannot come in|Not today}," $C.he said through {the crack of the door|the
  window}. {Inside somebody laughed|It smelled of honey in there}. {Were they having a party without $A|Were they
  laughing at $A}?

- $A {went home|walked home} {through the rain|kicking a nut}. "{They have forgotten me|I have no friends}," $A.he
  thought. "{Then I will have a party alone|I will make a cake for myself}." But {there was no flour|the flour jar was
  empty}, and {nobody to borrow it from|so was $A's heart}.
- {Under the big tree|By the pond} $A sat down and {was %sad|wept}. "{A birthday is just a day|Nobody remembers},"
  $A.he said to {a beetle|a snail}. {It put out its horns and said nothing|It crept a little closer}.

- {It grew dark|Evening came}. There was {no light|not one lamp} in {the whole place|any window}. $A {opened $A.his
  door|pushed open the door of the $A.den}. {It was pitch dark|All was black inside}. {Something rustled|Somebody
  sneezed}.
- At {sunset|dusk} {a note lay on the path|a leaf lay at $A's feet}. On it was written: "{Help! Come to the old
  oak|Come quickly to the old oak}!" {$A forgot $A.his own trouble and ran|"Someone is in trouble," thought $A, and
  ran}. It was quite dark there.

- "{Surprise|Happy birthday}!" A hundred {glow-worms|fireflies} {lit up|began to shine}. There stood $B with {a big
  cake|a nut cake}, and $C with {a paper crown|a crown of flowers}, and {all the others|behind them all the others}.
- Then -- {a light, two lights, twenty|one lantern after another}! "{Happy birthday|A happy birthday}!" they %cried.
  $B {carried in|held} a cake {as high as a hat|with nuts on it}, and $C had {a drum|hung paper stars all over}.

- "{I thought you had forgotten|And I thought that nobody liked me}," said $A. / "{Forgotten|Us}?" said $B. "{Do you
  know how hard it is to bake in secret|We have thought of nothing else for a week}!"
- $A {did not know what to say|laughed and cried at once}. "{So you did not forget|So that is why you were so busy}!"
  $A.he said to $B. / "{And why I would not let you in|I am so bad at keeping secrets}," said $C.

- They {ate and danced|danced} until {the moon went down|the fireflies were tired}. {And the first piece of cake went
  to the little snail who had kept $A company|And $A gave the first piece to the smallest guest}.
- {It was the best birthday of all|It was the longest and merriest birthday ever}. And when it was over, $A {asked
  quietly: "When is yours?" and made a knot in $A.his handkerchief|began at once to plan a surprise for $B}.
""", A="eater", B="eater", C="walker", P="wild")


plot("The $B.k and the Scarecrow|$N and the Scarecrow|The Coat of the Scarecrow|"
     "The Scarecrow's Friend", """
- $W made a scarecrow {from two poles and a sack|of straw}, with {an old hat|a hat} and a $c coat. "{Frighten the
  birds|Keep the birds away}," said $W, and set it in the field.
- In a field {stood|there stood} a scarecrow in a $c coat. $W had made it {out of straw|in spring}. {The birds kept
  away|No bird dared to come near}.

- {But it was lonely|It was lonely in the field}. {The wind went by without a word|By day and by night the scarecrow
  was alone}. %day a $B.k called $N sat down on {its arm|its hat}. "{You are not real|Are you going to frighten me}?"
  said $N. / "{I should|I must}," said the scarecrow, "{but I would rather talk|but I do not want to}."
- "{Shoo|Go away}," said the scarecrow when $N, the $B.k, came. "{I must frighten you|It is my work}." / "Do you want
  to?" asked $N. / The scarecrow {thought with all its straw|was silent}. "{No|Not really}," it said. "{Nobody has
  ever asked me|I would like a friend}."

- So {they became friends|they talked every day}. $N told of {the wood, the town and the sea|all that could be seen
  from above}. {And the scarecrow told of the moon and the mice|And the scarecrow, who never slept, told of the
  night}. {The corn was safe, for $N ate only the beetles|In return $N ate the beetles that ate the corn}.
- {From then on $N came each morning|Every morning $N came}. "{But do not touch the corn|Only leave the corn alone},"
  said the scarecrow, "{or $W will be sad|for I gave my word}." And $N {ate beetles|ate only beetles and worms}.
  {There were plenty|That was good for the corn, too}.

- Then came winter. {Snow lay on the field|It froze hard}. $N {sat shivering|was so cold that $B.he could not sing}.
  "{Take the straw out of my sleeve|Come in under my coat}," said the scarecrow. "{Make a nest in my pocket|There is
  straw inside, dry and warm}."
- In {November|autumn} {the others flew away|it grew cold}, but $N had {hurt a wing|a sore wing} and could not {fly
  far|go with the others}. "{I shall freeze|Where shall I go}?" said $N. / "{Here|To me}," said the scarecrow. "{My
  pocket is deep|I have a coat}. Take as much straw as you {need|like}."

- {Bit by bit the scarecrow grew thinner|One arm got thin, then the other}. {But in its pocket it was warm|But inside
  the coat a small heart was beating}, and {that was better than straw|for the first time the scarecrow felt warm}.
- All winter $N slept in the pocket {of the $c coat|}. {The wind pulled at it|The storm blew off the hat}, but {the
  scarecrow stood|the scarecrow did not fall}.

- In spring $W came {to throw the old scarecrow away|with a barrow}. "{You are worn out|Nothing left of you}," said
  $W. "{I will burn you|On the fire with you}." {Then something chirped|There was a sound}. In the pocket lay {four
  eggs|five small eggs}, and on them sat $N, and {looked at $W|did not move}.
- {When the snow melted, $W came|In March $W came}. "{How thin you are|Just a pole and a coat}," said $W, and {took
  hold of the pole|was about to pull it out}. {Out of the pocket looked a head|A $B.k looked out of the pocket}.
  {There was a nest|There were eggs}! "{Well, well|So that is how it is}," said $W.

- {$W went home and came back with fresh straw|$W fetched new straw}. {Carefully|Softly}, so as not to wake
  {anyone|the little ones}, $W {filled the sleeves|stuffed the arms}. {And that year there was more corn than ever,
  for there were five birds to eat the beetles|And nobody in that field was lonely any more}.
- "{Stay|You may stay}," said $W, and {put a new hat on it|filled it with straw}. {Soon four young ones sat on the
  hat|In May the whole hat was full of young birds}. {"What good children you have," said the wind.|They were not
  afraid of scarecrows, and never would be.}
""", W="farmhand", B="tinybird", N="Pip|Dot|Tilly|Wisp|Fidget|Bobby|Chip", c="colour")
