#include "data/builtin_classes.h"

namespace tagclip {
namespace {

constexpr std::string_view kVoc[] = {"aeroplane",   "bicycle", "bird",  "boat",      "bottle",
                                     "bus",         "car",     "cat",   "chair",     "cow",
                                     "diningtable", "dog",     "horse", "motorbike", "person",
                                     "pottedplant", "sheep",   "sofa",  "train",     "tvmonitor"};

constexpr std::string_view kContext[] = {
    "aeroplane", "bag",     "bed",      "bedclothes", "bench",       "bicycle",   "bird",
    "boat",      "book",    "bottle",   "building",   "bus",         "cabinet",   "car",
    "cat",       "ceiling", "chair",    "cloth",      "computer",    "cow",       "cup",
    "curtain",   "dog",     "door",     "fence",      "floor",       "flower",    "food",
    "grass",     "ground",  "horse",    "keyboard",   "light",       "motorbike", "mountain",
    "mouse",     "person",  "plate",    "platform",   "pottedplant", "road",      "rock",
    "sheep",     "shelves", "sidewalk", "sign",       "sky",         "snow",      "sofa",
    "table",     "track",   "train",    "tree",       "truck",       "tvmonitor", "wall",
    "water",     "window",  "wood"};

// clang-format off: it would give each name a line.
constexpr std::string_view kCocoStuff[] = {
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush", "banner", "blanket", "branch", "bridge",
    "building-other", "bush", "cabinet", "cage", "cardboard", "carpet", "ceiling-other",
    "ceiling-tile", "cloth", "clothes", "clouds", "counter", "cupboard", "curtain", "desk-stuff",
    "dirt", "door-stuff", "fence", "floor-marble", "floor-other", "floor-stone", "floor-tile",
    "floor-wood", "flower", "fog", "food-other", "fruit", "furniture-other", "grass", "gravel",
    "ground-other", "hill", "house", "leaves", "light", "mat", "metal", "mirror-stuff", "moss",
    "mountain", "mud", "napkin", "net", "paper", "pavement", "pillow", "plant-other", "plastic",
    "platform", "playingfield", "railing", "railroad", "river", "road", "rock", "roof", "rug",
    "salad", "sand", "sea", "shelf", "sky-other", "skyscraper", "snow", "solid-other", "stairs",
    "stone", "straw", "structural-other", "table", "tent", "textile-other", "towel", "tree",
    "vegetable", "wall-brick", "wall-concrete", "wall-other", "wall-panel", "wall-stone",
    "wall-tile", "wall-wood", "water-other", "waterdrops", "window-blind", "window-other", "wood",
};
// clang-format on

}  // namespace

NameList voc_classes() { return kVoc; }

NameList context_classes() { return kContext; }

NameList coco_stuff_classes() { return kCocoStuff; }

}  // namespace tagclip
