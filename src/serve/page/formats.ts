import { extentOf, labelsIn, type LabelMap } from "./label_map.ts";
import { polygonsOf } from "./polygons.ts";
import { cocoMask } from "./rle.ts";

/** What annotation files say beside the map: the photo's file name and the classes by index. */
export interface Labelled {
  photo: string;
  map: LabelMap;
  names: string[];
}

/** A COCO annotation file: one mask per class that occurs, as compressed RLE. Category ids are index + 1. */
export function cocoJson({ photo, map, names }: Labelled): string {
  const annotations = labelsIn(map).map((label, i) => {
    const { box, area } = extentOf(map, label);
    return { id: i + 1, image_id: 1, category_id: label + 1, segmentation: cocoMask(map, label), area, bbox: box, iscrowd: 0 };
  });
  return JSON.stringify({
    info: { description: "made with tagclip" },
    images: [{ id: 1, file_name: photo, width: map.width, height: map.height }],
    annotations,
    categories: names.map((name, index) => ({ id: index + 1, name, supercategory: "" })),
  }, null, 1);
}

/** A LabelMe file: a polygon per connected region, of which LabelMe makes the same pixels again. */
export function labelmeJson({ photo, map, names }: Labelled): string {
  const shapes = labelsIn(map).flatMap((label) => polygonsOf(map, label).map((points) => ({
    label: names[label], points, group_id: null, description: "", shape_type: "polygon", flags: {},
  })));
  return JSON.stringify({
    version: "5.5.0", flags: {}, shapes, imagePath: photo, imageData: null, imageHeight: map.height, imageWidth: map.width,
  });
}

/** A file name without its ending and without what file systems do not take. */
export function stemOf(fileName: string): string {
  return fileName.replace(/\.[^.]*$/, "").replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_").slice(0, 80) || "photo";
}
