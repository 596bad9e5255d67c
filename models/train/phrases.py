"""What people say to a story-teller, and the nouns that stories are about. Data for dialogues.py."""

NOUNS = set("""
ant ape ass bat bear beaver bee beetle bird boar bull butterfly calf camel cat caterpillar chicken cock cow crab crane crow
deer dog donkey dove dragon duck duckling eagle elephant elk ewe falcon fawn fish fly foal fox frog gander giraffe gnat
goat goose grasshopper hare hawk hedgehog hen heron hippo hornet horse hyena jackal kid kitten lamb lark leopard lion
lizard magpie mole monkey mouse mule nightingale ostrich otter owl ox parrot partridge peacock pig pigeon pony puppy
rabbit ram rat raven rooster serpent sheep snail snake sparrow spider squirrel stag stork swallow swan tiger toad
tortoise turkey turtle wasp weasel whale wolf worm
angel apprentice baker barber beggar boy bride brother butcher captain carpenter child cobbler cook count countess dancer
daughter doctor dwarf emperor fairy farmer father fisherman gardener ghost giant girl goblin governor grandfather grandmother
hermit herdsman hunter huntsman husband imp judge king knight lad lawyer maid maiden man mayor mermaid merchant miller miser
monk monster mother nurse ogre painter peasant piper pirate poet priest prince princess prisoner queen robber sailor
schoolmaster servant shepherd shoemaker sister smith soldier son stepmother student sultan tailor teacher thief traveller
troll uncle vizier watchman weaver widow wife witch wizard woodcutter woodman
apple ball balloon basket bell boat book box bridge broom cake candle car castle cave clock cloud coat crown doll drum egg feather fiddle fire
flower flute forest garden gift goblet house island kite lamp lantern mill mirror moon mountain palace park pot
ring river rose sea seed shadow ship shoe shoes snow spoon star stick stone storm sun swing sword tower toy train treasure tree
truck violin wagon well wind window
""".split())

# In so many stories that another subject says more.
COMMON = set("man boy girl child house wife mother father brother sister son daughter husband day box book".split())

ONLY_ONE = {"moon", "sun", "sea", "wind", "snow", "emperor", "sultan"}

NOT_NAMES = set("""
The And But Then When What Why Where There They This That These Those You Your Yes God Lord Sir Madam Mr Mrs Miss Dr Once
Day Night Sunday Monday Tuesday Wednesday Thursday Friday Saturday January February March April May June July August
September October November December Christmas Easter English French German Latin Greek Roman Spanish Chinese Indian
Irish Heaven Majesty Highness Chapter For Not Now Oh Well Let How Come Who Are His Her She Its One Two Three Good
""".split())

ABOUT = [
    "Tell me a story about {}.", "Tell me a story about {}.", "Tell me a story about {}.", "Tell me about {}.",
    "A story about {}, please.", "Can you tell me a story about {}?", "Could you tell a story about {}?",
    "I would like to hear a story about {}.", "I want a story about {}.", "Please tell me a tale about {}.",
    "Do you know a story about {}?", "Write a story about {}.", "Write a short story about {}.", "{}, please.",
    "Tell the story of {}.", "May I hear about {}?", "Make up a story about {}.", "Give me a story with {} in it."]
ANY_STORY = [
    "Tell me a story.", "Tell me a story, please.", "A story, please.", "I would like a story.", "Once upon a time...",
    "Tell me something.", "Can you tell me a story?", "Please read to me.", "Tell me any story you like.",
    "I cannot sleep. Tell me a story.", "Tell me a bedtime story.", "Write a story."]
BY_TITLE = ["Tell me the story called {}.", "Do you know {}?", "Tell me {}.", "The story is called {}. Tell it, please."]
CONTINUE_MINE = ["{}", "{}", "Go on with this: {}", "Continue the story: {}", "My story begins: {} Go on.",
                 "Here is a beginning. {}"]
NEXT = ["Go on.", "Go on.", "Go on.", "Please go on.", "What happened next?", "What happened next?", "And then?", "Then what?",
        "More, please.", "Continue.", "What happened then?", "And after that?", "What came next?", "Tell me more.",
        "Yes, and then?", "Oh! What happened?"]
NAMED_NEXT = ["What did {} do?", "What happened to {}?", "And {}?", "What did {} do next?", "Tell me more about {}."]
ENDING = ["How does it end?", "How did it end?", "Tell me the end.", "What happened in the end?",
          "And how does the story end?", "Please finish the story."]
WHO = ["Who is in the story?", "Who is it about?", "Who is the story about?", "What is the story about?"]
TITLE = ["What is the story called?", "What is it called?", "Give it a title.", "Does the story have a name?",
         "What is the title?"]
MORAL = ["What is the moral?", "What can we learn from it?", "And the moral of the story?", "What does it teach us?"]
ANOTHER = ["Tell me another story about {}.", "Another one about {}, please.", "Do you know another about {}?",
           "Another story, please. Again about {}.", "Now another one with {}."]
BARE = ["{}.", "{}.", "{}, please.", "About {}.", "{}"]
HELLO = ["Hello!", "Hello.", "Hi!", "Hi.", "Good evening.", "Good morning!", "Hello, who are you?", "Who are you?",
         "Hello there.", "Hey.", "Good day."]
HELLO_ANSWER = [
    "Hello! What shall I tell you a story about?", "Good day to you. What would you like to hear about?",
    "Hello! I am a story-teller. What shall the story be about?", "Welcome! Shall I tell you a story?",
    "Hello! I tell stories. Which one would you like?"]
THANKS = [
    ("Thank you.", "You are welcome."), ("Thank you!", "You are welcome. Shall I tell you another story?"),
    ("That was a nice story.", "I am glad that you liked it."), ("Thanks.", "You are welcome."),
    ("I liked that.", "I am glad. Shall I tell you another story?"), ("Good night.", "Good night. Sleep well."),
    ("Goodbye!", "Goodbye! Come back for another story."), ("That is enough.", "Then good night, and sweet dreams."),
    ("Is that a true story?", "Who knows? It is only a story."), ("Bye.", "Goodbye, and come again.")]
